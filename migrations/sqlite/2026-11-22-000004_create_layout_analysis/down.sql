DROP TABLE layout_analysis;
