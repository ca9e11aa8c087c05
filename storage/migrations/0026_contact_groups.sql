-- Older writers: allowed
-- Counts the contacts of each group. Triggers of the read table `contact_log` call this
-- function once for each statement, in whichever schema the table is; the schema also
-- contains `contact_group_count`. The counts are therefore always those of the rows.
-- Each list has a row for the group 0, contacts without a group, even if there are none.
create function autolynx_count_groups() returns trigger language plpgsql as $$
declare
    columns constant text :=
        ' list_id, group_id, %1$s, %1$s * (status = ''PENDING'')::int,'
        ' %1$s * (status = ''PENDING'' and planned_at is null and due_at is null)::int ';
    added constant text := 'select' || format(columns, 1) || 'from rows_after';
    removed constant text := 'select' || format(columns, -1) || 'from rows_before';
    changes text := added || ' union all select distinct list_id, 0, 0, 0, 0'
        ' from rows_after';
    least text := '';
begin
    if tg_op = 'UPDATE' then
        changes := added || ' union all ' || removed;
        least := 'having sum(contacts) <> 0 or sum(pending) <> 0 or sum(fresh) <> 0';
    end if;
    execute format('
        insert into %1$I.contact_group_count as counted
            (list_id, group_id, contacts, pending, fresh)
        select list_id, group_id, sum(contacts), sum(pending), sum(fresh)
        from (%2$s) as change (list_id, group_id, contacts, pending, fresh)
        group by list_id, group_id %3$s
        on conflict (list_id, group_id) do update set
            contacts = counted.contacts + excluded.contacts,
            pending = counted.pending + excluded.pending,
            fresh = counted.fresh + excluded.fresh',
        tg_table_schema, changes, least);
    return null;
end $$;
