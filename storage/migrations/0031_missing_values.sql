-- Older writers: allowed
--
-- What a report shows of an upload: the accepted rows without a value, by variable.
alter table upload add column missing_values json not null default '[]';
