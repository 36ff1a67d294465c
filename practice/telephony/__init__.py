"""The telephone: an exchange with our lines, the customers' phones, and the events it posts about every call."""
