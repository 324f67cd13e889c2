-- Rules of stretches that only the domain's constructors enforced: a row that another program
-- writes past them could not be read back, or a clip would be cut by it.
--
-- A CHECK can have no subquery, and a JSON path does not compare an item with the one before.
CREATE FUNCTION lectern_stretches_in_order(stretches JSONB) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT NOT EXISTS (
        SELECT 1
        FROM (SELECT stretch -> 'start_time' AS start_time,
                     lag(stretch -> 'end_time') OVER (ORDER BY position) AS end_before
              FROM jsonb_array_elements(CASE jsonb_typeof(stretches) WHEN 'array' THEN stretches ELSE '[]' END)
                   WITH ORDINALITY AS stretches (stretch, position)) AS pairs
        WHERE jsonb_typeof(start_time) = 'number' AND jsonb_typeof(end_before) = 'number' AND start_time < end_before)
$$;

-- NOT VALID: rows that break a rule already stay where they are. In a strict path, a comparison
-- with a field that is absent is unknown.
ALTER TABLE layout_analysis
    ADD CONSTRAINT layout_analysis_stretches_order CHECK (lectern_stretches_in_order(stretches)) NOT VALID,
    ADD CONSTRAINT layout_analysis_stretches_finite
        CHECK (NOT jsonb_path_exists(stretches, 'strict $[*] ? (@.end_time > 1.7976931348623157e308)', '{}', TRUE)) NOT VALID,
    ADD CONSTRAINT layout_analysis_stretches_split_ratio
        CHECK (NOT jsonb_path_exists(stretches, 'strict $[*] ?
            (!(@.split_ratio.type() == "null"
               || @.split_ratio.type() == "number" && @.split_ratio >= 0 && @.split_ratio <= 1))', '{}', TRUE)) NOT VALID,
    ADD CONSTRAINT layout_analysis_stretches_regions
        CHECK (NOT jsonb_path_exists(stretches, 'strict $[*].keyvalue() ?
            (@.key == "screen_region" || @.key == "camera_region").value ?
            (@.type() != "null"
             && (!exists(@ ? (@.x.type() == "number" && @.x >= 0 && @.x <= 2147483647 && @.x == @.x.floor()
                              && @.y.type() == "number" && @.y >= 0 && @.y <= 2147483647 && @.y == @.y.floor()
                              && @.width.type() == "number" && @.width >= 0 && @.width <= 2147483647
                              && @.width == @.width.floor()
                              && @.height.type() == "number" && @.height >= 0 && @.height <= 2147483647
                              && @.height == @.height.floor()))
                 || exists(@.keyvalue() ? (@.key != "x" && @.key != "y" && @.key != "width" && @.key != "height"))))',
            '{}', TRUE)) NOT VALID;
