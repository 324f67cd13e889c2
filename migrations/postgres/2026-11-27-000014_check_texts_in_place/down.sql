-- Only SQLite's triggers copy texts.
SELECT 1;
