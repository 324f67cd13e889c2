-- Nothing: on PostgreSQL, writes of other jobs do not wait for those of a large set.
SELECT 1;
