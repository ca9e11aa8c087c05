-- Rows that were emptied because they name an erased person without being told of one:
-- stray messages, words, skipped rows of a file. Whoever verifies accepts an empty row
-- only where this, an erasure or the retention accounts for it.
create table erased_row (
    kind text not null check (kind in ('message', 'words', 'reject')),
    id uuid not null,
    "row" integer not null default 0,
    primary key (kind, id, "row")
);

-- What was emptied before there was such a record.
insert into erased_row select 'message', id from message_vault where salt is null;
insert into erased_row select 'words', id from words_vault where salt is null;
insert into erased_row select 'reject', list_id, "row" from reject_vault
where salt is null;
