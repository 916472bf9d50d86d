alter table xinglin.batches add column packs jsonb;
create index batches_packs on xinglin.batches using gin (packs jsonb_path_ops) where packs is not null;
