-- How far the history was verified. It holds the chain from outside: not rebuilt.

create table verified_mark (
    id integer primary key check (id = 1),
    up_to bigint not null,
    head bytea not null,
    verified_at timestamptz not null,
    problem_position bigint,
    problem text
);
