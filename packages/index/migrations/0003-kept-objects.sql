-- Objects that no single record owns: pixels kept once for several versions. A row for what kept one and a row for what dropped it.

create table xinglin.kept_objects (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  id text not null,
  change text not null,
  -- Null where it is dropped.
  object jsonb,
  actor text not null,
  key text not null,
  device text,
  source text not null
);
create index kept_objects_id on xinglin.kept_objects (id, source);

create index records_object on xinglin.records ((object->>'id')) where object is not null;
