DROP TRIGGER layout_analysis_stretches_update;
DROP TRIGGER layout_analysis_stretches_insert;
ALTER TABLE layout_analysis DROP COLUMN stretches;
