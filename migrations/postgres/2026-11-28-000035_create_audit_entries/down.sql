DROP TABLE audit_entries;
DROP FUNCTION lectern_refuse_audit_update();
