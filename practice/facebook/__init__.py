"""Facebook on loopback: Pages with their comments, and Messenger, behind the Graph API."""
