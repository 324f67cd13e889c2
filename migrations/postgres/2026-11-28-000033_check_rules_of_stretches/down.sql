ALTER TABLE layout_analysis
    DROP CONSTRAINT layout_analysis_stretches_order,
    DROP CONSTRAINT layout_analysis_stretches_finite,
    DROP CONSTRAINT layout_analysis_stretches_split_ratio,
    DROP CONSTRAINT layout_analysis_stretches_regions;

DROP FUNCTION lectern_stretches_in_order(JSONB);
