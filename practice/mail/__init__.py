"""The mail network: IMAP and SMTP over one store, our own mailboxes, and a mailbox for every person who has one."""
