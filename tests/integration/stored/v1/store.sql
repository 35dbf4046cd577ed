PRAGMA foreign_keys = OFF;
PRAGMA application_id = 1095322701;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE alias (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    directory_id TEXT NOT NULL,
    PRIMARY KEY (instance, name)
) STRICT, WITHOUT ROWID;
INSERT INTO "alias" VALUES('AWS-ILM_instance_1','employee E-1','123456');
INSERT INTO "alias" VALUES('AWS-ILM_instance_1','user id 123456','123456');
INSERT INTO "alias" VALUES('AWS-ILM_instance_1','user name test','123456');
CREATE TABLE attempt (
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    cause TEXT,
    status INTEGER,
    aws_request_ids TEXT,
    requested_by TEXT,
    PRIMARY KEY (operation, number)
) STRICT, WITHOUT ROWID;
INSERT INTO "attempt" VALUES(1,1,1795850721521,1795850721536,NULL,NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(3,1,1795850721579,1795850721589,'invalid',400,NULL,NULL);
INSERT INTO "attempt" VALUES(4,1,1795850721608,1795850721614,NULL,NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(5,1,1795850721627,1795850721633,'absent',404,'c0d06b6e-baf7-49f9-9d15-56c942a46159',NULL);
CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    caller TEXT,
    instances TEXT NOT NULL,             -- an array of names
    created_at INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "batch" VALUES('01a2210b-5988-76de-88ee-1213fd587ff5',NULL,'["AWS-ILM_instance_1"]',1795850721673,2);
CREATE TABLE disabled (
    instance TEXT NOT NULL,
    directory_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    turn INTEGER NOT NULL,
    operation TEXT NOT NULL,             -- empty: it went on without the store
    PRIMARY KEY (instance, directory_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE idempotency (
    caller TEXT NOT NULL,                -- empty: there are no callers
    key TEXT NOT NULL,
    digest BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    operation INTEGER REFERENCES operation (number) ON DELETE CASCADE,
    batch TEXT REFERENCES batch (id) ON DELETE CASCADE,
    status INTEGER,                      -- of the answer that is kept
    envelope TEXT,
    PRIMARY KEY (caller, key)
) STRICT, WITHOUT ROWID;
INSERT INTO "idempotency" VALUES('','golden-1',X'D163451D261DB533A2F660E781C3F6D459FB9A26B466F7183A118122D749AEB4',1796455521515,1,NULL,NULL,NULL);
CREATE TABLE lane (
    instance TEXT NOT NULL,
    name TEXT NOT NULL,
    turn INTEGER NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    running INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (instance, name, turn)
) STRICT, WITHOUT ROWID;
CREATE TABLE operation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL,
    command TEXT NOT NULL,
    stored TEXT NOT NULL,
    class INTEGER NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    turn INTEGER,                        -- its place in its lanes; none while it stands outside
    first INTEGER NOT NULL DEFAULT 0,    -- first in all its lanes, and nothing runs in them
    run_at INTEGER NOT NULL DEFAULT 0,   -- 0: at once, else ms since 1970 of the next try
    not_before INTEGER,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    epoch INTEGER NOT NULL DEFAULT 0,    -- counts claims: an older claim can't end it
    attempts INTEGER NOT NULL DEFAULT 0,
    requested_by TEXT,                   -- the principal that asked for the next try
    may_have_written INTEGER NOT NULL DEFAULT 0,
    has_changed INTEGER NOT NULL DEFAULT 0,
    overtakes INTEGER NOT NULL,
    overtaking INTEGER NOT NULL DEFAULT 0, -- it overtakes, and has not run since it came behind others
    is_synchronous INTEGER NOT NULL,
    caller TEXT,
    source TEXT,
    batch TEXT,
    purpose TEXT,
    traceparent TEXT,
    envelope TEXT
) STRICT;
INSERT INTO "operation" VALUES(1,'01a2210b-58eb-72ee-871e-73d579e3a155','AWS-ILM_instance_1','iam-update-user','{"v":1,"command":{"command":"iam-update-user","arguments":{"user-profile":{"username":"test","title":"Lead","employeeid":"E-1"},"allow-enable":true,"clear":[]}}}',1,'done',NULL,NULL,0,0,NULL,1795850721515,1795850721536,1,1,NULL,1,1,0,0,0,NULL,NULL,NULL,NULL,NULL,'{"IAM":{"UserProfile":{"username":"test","title":"Lead","employeeid":"E-1"},"Vendor":{"brand":"AWS-ILM","instanceName":"AWS-ILM_instance_1","action":"update","success":true,"active":true,"id":"123456","username":"test","email":"john.doe@example.com","errorCode":null,"errorMessage":"","details":{"id":"123456","meta":{"resourceType":"User","created":"2026-11-28T07:25:20Z","lastModified":"2026-11-28T07:25:21Z"},"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"test","name":{"givenName":"test","familyName":"test"},"displayName":"test","emails":[{"value":"john.doe@example.com","type":"work","primary":true}],"active":true,"externalId":"E-1","title":"Lead"},"skipped":false,"reason":""}}}');
INSERT INTO "operation" VALUES(2,'01a2210b-590b-77a9-88a9-99b67f8e6b02','AWS-ILM_instance_1','iam-disable-user','{"v":1,"command":{"command":"iam-disable-user","arguments":{"user-profile":{"username":"test"}}}}',0,'scheduled',NULL,NULL,0,0,1924992000000,1795850721547,NULL,0,0,NULL,0,0,1,0,0,NULL,NULL,NULL,'leave',NULL,NULL);
INSERT INTO "operation" VALUES(3,'01a2210b-5929-7191-8402-66ac061382ae','AWS-ILM_instance_1','iam-create-user','{"v":1,"command":{"command":"iam-create-user","arguments":{"user-profile":{"username":"new"},"allow-enable":null}}}',2,'failed',NULL,NULL,0,0,NULL,1795850721577,1795850721589,1,1,NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,'{"IAM":{"UserProfile":{"username":"new"},"Vendor":{"brand":"AWS-ILM","instanceName":"AWS-ILM_instance_1","action":"create","success":false,"active":null,"id":null,"username":null,"email":null,"errorCode":400,"errorMessage":"name.givenName: a new user needs it; give it a value (user-profile.givenname). name.familyName: a new user needs it; give it a value (user-profile.surname). displayName: a new user needs it; give it a value (user-profile.displayname)","details":{"userName":"new"},"skipped":false,"reason":""}}}');
INSERT INTO "operation" VALUES(4,'01a2210b-5944-7123-b2c4-660a83733929','AWS-ILM_instance_1','iam-disable-user','{"v":1,"command":{"command":"iam-disable-user","arguments":{"user-profile":{"username":"nobody"}}}}',0,'skipped',NULL,NULL,0,0,NULL,1795850721604,1795850721614,1,1,NULL,0,0,1,0,0,NULL,NULL,NULL,NULL,NULL,'{"IAM":{"UserProfile":{"username":"nobody"},"Vendor":{"brand":"AWS-ILM","instanceName":"AWS-ILM_instance_1","action":"disable","success":true,"active":null,"id":null,"username":null,"email":null,"errorCode":null,"errorMessage":"","details":{"userName":"nobody"},"skipped":true,"reason":"User does not exist"}}}');
INSERT INTO "operation" VALUES(5,'01a2210b-595a-73a3-b3d4-91c34f33c0c6','AWS-ILM_instance_1','iam-delete-group','{"v":1,"command":{"command":"iam-delete-group","arguments":{"scim":{"id":"no-such-group"}}}}',1,'failed',NULL,NULL,0,0,NULL,1795850721626,1795850721633,1,1,NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,'{"DeleteGroup":{"brand":"AWS-ILM","instanceName":"AWS-ILM_instance_1","success":false,"active":null,"id":"no-such-group","username":null,"email":null,"errorCode":404,"errorMessage":"Group Not Found","details":null,"displayName":null,"members":null}}');
INSERT INTO "operation" VALUES(6,'01a2210b-5970-723f-9b7f-aa6952ba461d','AWS-ILM_instance_1','iam-update-user','{"v":1,"command":{"command":"iam-update-user","arguments":{"user-profile":{"username":"test","title":"Gone"},"allow-enable":null,"clear":[]}}}',1,'cancelled',NULL,NULL,0,0,1924992000000,1795850721648,1795850723028,0,0,NULL,0,0,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "operation" VALUES(7,'01a2210b-5989-7101-a1f3-1c2a7448d9e1','AWS-ILM_instance_1','iam-update-user','{"v":1,"command":{"command":"iam-update-user","arguments":{"user-profile":{"username":"test","title":"Batch"},"allow-enable":null,"clear":[]}}}',1,'scheduled',NULL,NULL,0,0,1924992000000,1795850721673,NULL,0,0,NULL,0,0,0,0,0,NULL,NULL,'01a2210b-5988-76de-88ee-1213fd587ff5','year',NULL,NULL);
INSERT INTO "operation" VALUES(8,'01a2210b-5989-7101-a1f3-1c2baee6d866','AWS-ILM_instance_1','iam-update-group','{"v":1,"command":{"command":"iam-update-group","arguments":{"scim":{"id":"121212"},"memberIdsToAdd":["123456"],"memberIdsToDelete":[]}}}',1,'scheduled',NULL,NULL,0,0,1924992000000,1795850721673,NULL,0,0,NULL,0,0,0,0,0,NULL,NULL,'01a2210b-5988-76de-88ee-1213fd587ff5',NULL,NULL,NULL);
CREATE TABLE room (
    id INTEGER PRIMARY KEY,
    filling BLOB NOT NULL
) STRICT;
CREATE TABLE selection (
    token TEXT PRIMARY KEY,
    caller TEXT NOT NULL,                -- empty: there are no callers
    digest BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    operations TEXT NOT NULL             -- an array of [number, state]
) STRICT, WITHOUT ROWID;
CREATE TABLE subject (
    name TEXT NOT NULL,
    operation INTEGER NOT NULL REFERENCES operation (number) ON DELETE CASCADE,
    PRIMARY KEY (name, operation)
) STRICT, WITHOUT ROWID;
INSERT INTO "subject" VALUES('employee E-1',1);
INSERT INTO "subject" VALUES('user name test',1);
INSERT INTO "subject" VALUES('user name test',2);
INSERT INTO "subject" VALUES('user name new',3);
INSERT INTO "subject" VALUES('user name nobody',4);
INSERT INTO "subject" VALUES('group id no-such-group',5);
INSERT INTO "subject" VALUES('user name test',6);
INSERT INTO "subject" VALUES('user name test',7);
INSERT INTO "subject" VALUES('group id 121212',8);
CREATE TABLE turn (last INTEGER NOT NULL) STRICT;
INSERT INTO "turn" VALUES(4);
CREATE INDEX operation_runnable ON operation (instance, class, turn) WHERE state = 'waiting' AND first = 1 AND run_at = 0;
CREATE INDEX operation_overtaking ON operation (instance, number)
    WHERE state = 'waiting' AND overtaking = 1 AND run_at = 0;
CREATE INDEX operation_delayed ON operation (run_at) WHERE state = 'waiting' AND run_at > 0;
CREATE INDEX operation_scheduled ON operation (not_before) WHERE state = 'scheduled';
CREATE INDEX operation_running ON operation (number) WHERE state = 'running';
CREATE INDEX operation_state ON operation (state, number);
CREATE INDEX operation_instance ON operation (instance, number);
CREATE INDEX operation_command ON operation (command, number);
CREATE INDEX operation_caller ON operation (caller, number) WHERE caller IS NOT NULL;
CREATE INDEX operation_batch ON operation (batch, number) WHERE batch IS NOT NULL;
CREATE INDEX operation_ended ON operation (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX subject_operation ON subject (operation, name);
CREATE INDEX lane_operation ON lane (operation);
CREATE INDEX lane_running ON lane (instance, name) WHERE running = 1;
CREATE INDEX alias_directory_id ON alias (instance, directory_id);
CREATE INDEX idempotency_operation ON idempotency (operation) WHERE operation IS NOT NULL;
CREATE INDEX idempotency_batch ON idempotency (batch) WHERE batch IS NOT NULL;
CREATE INDEX idempotency_expires ON idempotency (expires_at);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('operation',8);
COMMIT;
