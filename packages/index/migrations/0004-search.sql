-- What a search may know of this member's own records, and who searched. Not derived from the chain, so it stands in a schema of its own, which making the
-- read model anew leaves alone. Coded values only: no names, no numbers of patients or visits, no DICOM UIDs. Source: docs/internals/search.md.

create schema if not exists xinglin_search;

create table if not exists xinglin_search.records (
  record text primary key,
  version integer,
  batch bytea,
  source text not null,
  patient text not null,
  level text not null,
  category text not null,
  format text not null,
  first_month integer,
  last_month integer not null,
  modalities text[],
  body_parts text[],
  manufacturers text[],
  series_class smallint,
  instance_class smallint,
  slice_micrometres integer,
  contrast boolean,
  check ((version is null) <> (batch is null))
);
create index if not exists records_place on xinglin_search.records (last_month desc, record desc);
create index if not exists records_patient on xinglin_search.records (patient);

create table if not exists xinglin_search.entries (
  record text not null,
  type text not null,
  system text,
  code text,
  status text,
  first_month integer,
  last_month integer
);
create index if not exists entries_record on xinglin_search.entries (record);
create index if not exists entries_code on xinglin_search.entries (system, code) where code is not null;
create index if not exists entries_type on xinglin_search.entries (type);

create table if not exists xinglin_search.searches (
  number bigint generated always as identity primary key,
  time bigint not null,
  height bigint not null,
  actor text not null,
  key text not null,
  member text not null,
  purpose text not null,
  credential text not null,
  approval text,
  criteria jsonb not null,
  shown integer not null
);
create index if not exists searches_member on xinglin_search.searches (member, number desc);

create table if not exists xinglin_search.shown (
  search bigint not null,
  record text not null,
  patient text not null,
  primary key (search, record)
);
create index if not exists shown_patient on xinglin_search.shown (patient, search desc);
