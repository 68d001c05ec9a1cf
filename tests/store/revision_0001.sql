BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE event (
	id INTEGER NOT NULL, 
	at_us BIGINT NOT NULL, 
	mono DOUBLE NOT NULL, 
	boot VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	service VARCHAR NOT NULL, 
	instance VARCHAR NOT NULL, 
	reason TEXT NOT NULL, 
	detail TEXT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "event" VALUES(1,1800000000250000,12.5,'boot-1','up','','','','{}');
INSERT INTO "event" VALUES(2,1800000000250000,12.5,'boot-1','start','notes','notes-1','a request waits','{"prepared":{"port":4711}}');
INSERT INTO "event" VALUES(3,1800000000250000,12.5,'boot-1','started','notes','notes-1','','{"handle":{"pid":99}}');
CREATE INDEX event_by_service ON event (service, id);
CREATE INDEX event_by_kind ON event (service, kind, id);
CREATE INDEX event_by_instance ON event (service, instance, kind, id);
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER event_no_replace BEFORE INSERT ON event
    WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
COMMIT;
