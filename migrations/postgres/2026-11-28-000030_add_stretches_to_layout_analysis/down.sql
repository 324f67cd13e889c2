ALTER TABLE layout_analysis DROP COLUMN stretches;
