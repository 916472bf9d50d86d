-- The read model: every row is a function of one entry of the audit log and its operation, and carries that entry's sequence.
-- So any row can be derived again from the chain, and nothing here is authoritative. Bytes are hashes, ids and sealed pointers;
-- no names and no clinical values. Source: design.md, "Read model".

create table xinglin.projection (
  singleton boolean primary key default true check (singleton),
  chain text not null,
  sequence bigint not null,
  last_hash bytea,
  digest bytea not null
);

create table xinglin.entries (
  sequence bigint primary key,
  hash bytea not null,
  height bigint not null,
  time bigint not null,
  transaction bytea not null,
  position integer not null,
  operation text not null,
  operation_hash bytea not null,
  actor text not null,
  key text not null,
  member text not null,
  device text,
  outcome text not null,
  code text,
  facts jsonb,
  patient text,
  record text,
  version bigint,
  number bigint,
  credential text,
  subject_actor text,
  subject_member text,
  approval text,
  batch bytea,
  reason jsonb
);
create index entries_patient on xinglin.entries (patient, sequence desc) where patient is not null;
create index entries_member on xinglin.entries (member, sequence desc);
create index entries_record on xinglin.entries (record, sequence desc) where record is not null;
create index entries_transaction on xinglin.entries (transaction);

create table xinglin.accesses (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  patient text not null,
  outcome text not null,
  code text,
  permit bigint,
  directive bigint,
  purpose text not null,
  level text not null,
  category text not null,
  target text not null,
  record text,
  version bigint,
  batch bytea,
  actor text not null,
  key text not null,
  member text not null,
  device text,
  credential text,
  approval text
);
create index accesses_patient on xinglin.accesses (patient, sequence desc);
create index accesses_member on xinglin.accesses (member, patient, sequence desc);
create index accesses_record on xinglin.accesses (record) where record is not null;

create table xinglin.directives (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  patient text not null,
  number bigint not null,
  change text not null,
  terms jsonb
);
create index directives_patient on xinglin.directives (patient, number, sequence desc);

create table xinglin.directive_grantees (
  sequence bigint not null,
  position integer not null,
  kind text not null,
  member text,
  role text,
  actor text,
  approval text,
  primary key (sequence, position)
);
create index directive_grantees_member on xinglin.directive_grantees (member) where member is not null;
create index directive_grantees_approval on xinglin.directive_grantees (approval) where approval is not null;

create table xinglin.directive_pointers (
  sequence bigint not null,
  position integer not null,
  member text not null,
  sealed bytea not null,
  primary key (sequence, position)
);

create table xinglin.records (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  record text not null,
  change text not null,
  version bigint,
  patient text,
  level text,
  category text,
  format text,
  object jsonb,
  custody jsonb,
  actor text not null,
  key text not null,
  device text,
  source text not null
);
create index records_record on xinglin.records (record, sequence desc);
create index records_patient on xinglin.records (patient, sequence desc) where patient is not null;

create table xinglin.batches (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  root bytea not null,
  count bigint not null,
  actor text not null,
  device text,
  source text not null
);
create index batches_root on xinglin.batches (root);

create table xinglin.actors (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  actor text not null,
  change text not null,
  kind text,
  member text,
  status text
);
create index actors_actor on xinglin.actors (actor, sequence desc);
create index actors_member on xinglin.actors (member, actor) where member is not null;

create table xinglin.credentials (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  credential text not null,
  change text not null,
  subject text,
  issuer text,
  role text,
  department text,
  not_before bigint,
  not_after bigint,
  status text
);
create index credentials_credential on xinglin.credentials (credential, sequence desc);

create table xinglin.approvals (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  approval text not null,
  kind text not null,
  holder text not null,
  grantee jsonb not null,
  member text,
  purpose text not null,
  not_before bigint not null,
  not_after bigint not null
);
create index approvals_approval on xinglin.approvals (approval);

create table xinglin.releases (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  patient text not null,
  permit bigint not null,
  custodian text not null,
  share integer
);
create index releases_permit on xinglin.releases (patient, permit);

create table xinglin.erasures (
  sequence bigint primary key,
  height bigint not null,
  time bigint not null,
  record text not null,
  version bigint not null,
  custodian text not null
);
create index erasures_record on xinglin.erasures (record, version);
