"""History refuses UPDATE and DELETE, whoever asks; and the word index that customers/ needs."""

from __future__ import annotations

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

REFUSE = """
CREATE FUNCTION history_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'history is append-only' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER history_is_append_only BEFORE UPDATE OR DELETE ON agents_historyentry
  FOR EACH ROW EXECUTE FUNCTION history_is_append_only();
"""
ALLOW = """
DROP TRIGGER history_is_append_only ON agents_historyentry;
DROP FUNCTION history_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("agents", "0001_initial")]

    operations = [TrigramExtension(), migrations.RunSQL(REFUSE, ALLOW)]
