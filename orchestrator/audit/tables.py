"""The log's table, and the triggers by which the database itself refuses to change it.

Rows are never changed. They are removed from the beginning only, and only those that a later row covers: the
checkpoint that the retention leaves (`pruned_through`).
"""

from __future__ import annotations

POSTGRES = (
    """CREATE TABLE IF NOT EXISTS orch_audit (
        seq bigint PRIMARY KEY, record text NOT NULL, hash text NOT NULL, pruned_through bigint)""",
    """CREATE INDEX IF NOT EXISTS orch_audit_by_pruned ON orch_audit (pruned_through)
        WHERE pruned_through IS NOT NULL""",
    """CREATE OR REPLACE FUNCTION orch_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                IF EXISTS (SELECT 1 FROM orch_audit a
                           WHERE a.pruned_through >= OLD.seq AND a.seq > a.pruned_through) THEN
                    RETURN OLD;
                END IF;
            END IF;
            RAISE EXCEPTION 'the audit log is append-only';
        END $$""",
    """DO $$ BEGIN
        IF NOT EXISTS (SELECT 1 FROM pg_trigger WHERE tgname = 'orch_audit_rows'
                       AND tgrelid = 'orch_audit'\\:\\:regclass) THEN
            CREATE TRIGGER orch_audit_rows BEFORE UPDATE OR DELETE ON orch_audit
                FOR EACH ROW EXECUTE FUNCTION orch_audit_refuse();
            CREATE TRIGGER orch_audit_all BEFORE TRUNCATE ON orch_audit
                FOR EACH STATEMENT EXECUTE FUNCTION orch_audit_refuse();
        END IF;
    END $$""",
)
SQLITE = (
    """CREATE TABLE IF NOT EXISTS orch_audit (
        seq INTEGER PRIMARY KEY, record TEXT NOT NULL, hash TEXT NOT NULL, pruned_through INTEGER)""",
    """CREATE INDEX IF NOT EXISTS orch_audit_by_pruned ON orch_audit (pruned_through)
        WHERE pruned_through IS NOT NULL""",
    """CREATE TRIGGER IF NOT EXISTS orch_audit_update BEFORE UPDATE ON orch_audit
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    # "INSERT OR REPLACE" removes a row without asking the trigger for deletions.
    """CREATE TRIGGER IF NOT EXISTS orch_audit_insert BEFORE INSERT ON orch_audit
        WHEN EXISTS (SELECT 1 FROM orch_audit WHERE seq = NEW.seq)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
    """CREATE TRIGGER IF NOT EXISTS orch_audit_delete BEFORE DELETE ON orch_audit
        WHEN NOT EXISTS (SELECT 1 FROM orch_audit a
                         WHERE a.pruned_through >= OLD.seq AND a.seq > a.pruned_through)
        BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END""",
)
LOOK = "SELECT seq, record, hash, pruned_through FROM orch_audit LIMIT 0"
