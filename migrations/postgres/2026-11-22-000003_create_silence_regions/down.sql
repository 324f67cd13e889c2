DROP TABLE silence_regions;
