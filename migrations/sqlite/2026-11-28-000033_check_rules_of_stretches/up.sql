-- Rules of stretches that only the domain's constructors enforced: a row that another program
-- writes past them could not be read back, or a clip would be cut by it.

CREATE TRIGGER layout_analysis_stretches_rules_insert BEFORE INSERT ON layout_analysis WHEN NEW.stretches <> '[]'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_order')
    WHERE EXISTS (SELECT 1
                  FROM (SELECT iif(type = 'object', value, '{}') ->> '$.start_time' AS start_time,
                               lag(iif(type = 'object', value, '{}') ->> '$.end_time') OVER (ORDER BY key) AS end_before
                        FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')))
                  WHERE start_time < end_before);
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_finite')
    WHERE EXISTS (SELECT 1
                  FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]'))
                  WHERE iif(type = 'object', value, '{}') ->> '$.end_time' > 1.7976931348623157e308);
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_split_ratio')
    WHERE EXISTS (SELECT 1
                  FROM (SELECT iif(type = 'object', value, '{}') AS stretch
                        FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')))
                  WHERE coalesce(json_type(stretch, '$.split_ratio'), 'null') NOT IN ('null', 'integer', 'real')
                     OR (stretch ->> '$.split_ratio') NOT BETWEEN 0 AND 1);
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_regions')
    WHERE EXISTS (SELECT 1
                  FROM (SELECT iif(type = 'object', value, '{}') -> name AS region
                        FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')),
                             (SELECT '$.screen_region' AS name UNION ALL SELECT '$.camera_region'))
                  WHERE coalesce(json_type(region), 'null') <> 'null'
                    AND (json_remove(region, '$.x', '$.y', '$.width', '$.height') <> '{}'
                         OR json_type(region, '$.x') IS NOT 'integer'
                         OR json_type(region, '$.y') IS NOT 'integer'
                         OR json_type(region, '$.width') IS NOT 'integer'
                         OR json_type(region, '$.height') IS NOT 'integer'
                         OR (region ->> '$.x') NOT BETWEEN 0 AND 2147483647
                         OR (region ->> '$.y') NOT BETWEEN 0 AND 2147483647
                         OR (region ->> '$.width') NOT BETWEEN 0 AND 2147483647
                         OR (region ->> '$.height') NOT BETWEEN 0 AND 2147483647));
END;

CREATE TRIGGER layout_analysis_stretches_rules_update BEFORE UPDATE OF stretches ON layout_analysis WHEN NEW.stretches <> '[]'
BEGIN
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_order')
    WHERE EXISTS (SELECT 1
                  FROM (SELECT iif(type = 'object', value, '{}') ->> '$.start_time' AS start_time,
                               lag(iif(type = 'object', value, '{}') ->> '$.end_time') OVER (ORDER BY key) AS end_before
                        FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')))
                  WHERE start_time < end_before);
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_finite')
    WHERE EXISTS (SELECT 1
                  FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]'))
                  WHERE iif(type = 'object', value, '{}') ->> '$.end_time' > 1.7976931348623157e308);
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_split_ratio')
    WHERE EXISTS (SELECT 1
                  FROM (SELECT iif(type = 'object', value, '{}') AS stretch
                        FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')))
                  WHERE coalesce(json_type(stretch, '$.split_ratio'), 'null') NOT IN ('null', 'integer', 'real')
                     OR (stretch ->> '$.split_ratio') NOT BETWEEN 0 AND 1);
    SELECT RAISE(ABORT, 'CHECK constraint failed: layout_analysis_stretches_regions')
    WHERE EXISTS (SELECT 1
                  FROM (SELECT iif(type = 'object', value, '{}') -> name AS region
                        FROM json_each(iif(json_valid(NEW.stretches), NEW.stretches, '[]')),
                             (SELECT '$.screen_region' AS name UNION ALL SELECT '$.camera_region'))
                  WHERE coalesce(json_type(region), 'null') <> 'null'
                    AND (json_remove(region, '$.x', '$.y', '$.width', '$.height') <> '{}'
                         OR json_type(region, '$.x') IS NOT 'integer'
                         OR json_type(region, '$.y') IS NOT 'integer'
                         OR json_type(region, '$.width') IS NOT 'integer'
                         OR json_type(region, '$.height') IS NOT 'integer'
                         OR (region ->> '$.x') NOT BETWEEN 0 AND 2147483647
                         OR (region ->> '$.y') NOT BETWEEN 0 AND 2147483647
                         OR (region ->> '$.width') NOT BETWEEN 0 AND 2147483647
                         OR (region ->> '$.height') NOT BETWEEN 0 AND 2147483647));
END;
