BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('6f83c76e-4666-4641-8d5d-7e85e7297bdf','1',1795999129000,1795999129000,'interview-orchestrator');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',1,'1/extract','{"stage":"extract","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/extract-c0f879c2908acd33aed1e36f512e92cd.pb","attempt_count":1,"queue_s":0.0,"run_s":0.363,"reused":false,"model":{}}',NULL,NULL,1795999130832,1795999131209,'portable_json','interview-orchestrator',1795999131000);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',6,'1/speaker','{"stage":"speaker","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/speaker-f3a3032166363b9ac929a15f2e3ec229.pb","attempt_count":1,"queue_s":0.0,"run_s":1.527,"reused":false,"model":{"name":"fake-encoder","version":"1","digest":"1212121212121212121212121212121212121212121212121212121212121212","device":""}}',NULL,NULL,1795999131215,1795999132765,'portable_json','interview-orchestrator',1795999132000);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',2,'1/transcribe','{"stage":"transcribe","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/transcribe-c2465fc1b50b9d4b8f610dce9e458759.pb","attempt_count":1,"queue_s":0.0,"run_s":1.529,"reused":false,"model":{"name":"fake-whisper","version":"1","digest":"abababababababababababababababababababababababababababababababab","device":"cpu"}}',NULL,NULL,1795999131213,1795999132764,'portable_json','interview-orchestrator',1795999132000);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',5,'1/vision','{"stage":"vision","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/vision-3d285fd7f5ce761187766a121f14f4f0.pb","attempt_count":1,"queue_s":0.0,"run_s":1.521,"reused":false,"model":{"name":"fake-landmarker","version":"1","digest":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","device":""}}',NULL,NULL,1795999131213,1795999132773,'portable_json','interview-orchestrator',1795999132000);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',3,'1/translate','{"stage":"translate","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/translate-f308887f89b55630753cd008f3776ced.pb","attempt_count":1,"queue_s":0.0,"run_s":0.755,"reused":false,"model":{"name":"fake-translator","version":"1","digest":"","device":""}}',NULL,NULL,1795999132769,1795999133543,'portable_json','interview-orchestrator',1795999133000);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',4,'1/assess','{"stage":"assess","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/assess-23ce4ef6d9aee2149d3f4af35b547659.pb","attempt_count":1,"queue_s":0.0,"run_s":0.76,"reused":false,"model":{}}',NULL,NULL,1795999133555,1795999134352,'portable_json','interview-orchestrator',1795999134000);
INSERT INTO "operation_outputs" VALUES('11111111111111111111111111111111',7,'finish','null',NULL,NULL,1795999134355,1795999134370,'portable_json','interview-orchestrator',1795999134000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',1,'1/extract','{"stage":"extract","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/1/extract-8f7779b70060535954ef9ac746ca5252.pb","attempt_count":1,"queue_s":0.0,"run_s":0.605,"reused":false,"model":{}}',NULL,NULL,1795999135106,1795999135735,'portable_json','interview-orchestrator',1795999135000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',7,'2/extract','{"stage":"extract","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/2/extract-1a88d08dc8ce6b184f9a27c5bc009a5f.pb","attempt_count":1,"queue_s":0.0,"run_s":0.728,"reused":false,"model":{}}',NULL,NULL,1795999135106,1795999135847,'portable_json','interview-orchestrator',1795999135000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',5,'1/vision','{"stage":"vision","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/1/vision-3d285fd7f5ce761187766a121f14f4f0.pb","attempt_count":1,"queue_s":0.0,"run_s":1.52,"reused":false,"model":{"name":"fake-landmarker","version":"1","digest":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","device":""}}',NULL,NULL,1795999135738,1795999137285,'portable_json','interview-orchestrator',1795999137000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',6,'1/speaker','{"stage":"speaker","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/1/speaker-f3a3032166363b9ac929a15f2e3ec229.pb","attempt_count":1,"queue_s":0.0,"run_s":1.516,"reused":false,"model":{"name":"fake-encoder","version":"1","digest":"1212121212121212121212121212121212121212121212121212121212121212","device":""}}',NULL,NULL,1795999135739,1795999137293,'portable_json','interview-orchestrator',1795999137000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',2,'1/transcribe','{"stage":"transcribe","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/1/transcribe-c2465fc1b50b9d4b8f610dce9e458759.pb","attempt_count":1,"queue_s":0.0,"run_s":1.513,"reused":false,"model":{"name":"fake-whisper","version":"1","digest":"abababababababababababababababababababababababababababababababab","device":"cpu"}}',NULL,NULL,1795999135738,1795999137298,'portable_json','interview-orchestrator',1795999137000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',8,'2/transcribe','{"stage":"transcribe","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/2/transcribe-c2465fc1b50b9d4b8f610dce9e458759.pb","attempt_count":1,"queue_s":0.0,"run_s":1.522,"reused":false,"model":{"name":"fake-whisper","version":"1","digest":"abababababababababababababababababababababababababababababababab","device":"cpu"}}',NULL,NULL,1795999135849,1795999137395,'portable_json','interview-orchestrator',1795999137000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',12,'2/speaker','{"stage":"speaker","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/2/speaker-f3a3032166363b9ac929a15f2e3ec229.pb","attempt_count":1,"queue_s":0.0,"run_s":1.521,"reused":false,"model":{"name":"fake-encoder","version":"1","digest":"1212121212121212121212121212121212121212121212121212121212121212","device":""}}',NULL,NULL,1795999135849,1795999137414,'portable_json','interview-orchestrator',1795999137000);
INSERT INTO "operation_outputs" VALUES('22222222222222222222222222222222',11,'2/vision','{"stage":"vision","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/22222222222222222222222222222222/outputs/2/vision-3d285fd7f5ce761187766a121f14f4f0.pb","attempt_count":1,"queue_s":0.0,"run_s":1.525,"reused":false,"model":{"name":"fake-landmarker","version":"1","digest":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","device":""}}',NULL,NULL,1795999135849,1795999137394,'portable_json','interview-orchestrator',1795999137000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('929880C6B340970A5F9B84E0DE844AEC','sessions',NULL,1,NULL,NULL,1,0,0.1,1795999129000,1795999129064,'interview-orchestrator',NULL,NULL,NULL,NULL);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
INSERT INTO "workflow_events" VALUES('11111111111111111111111111111111','1/extract','[{"event_id":33,"time_s":1795999130.8347752,"position":1,"stage":"extract","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":403,"time_s":1795999131.205097,"position":1,"stage":"extract","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('11111111111111111111111111111111','1/transcribe','[{"event_id":414,"time_s":1795999131.2166915,"position":1,"stage":"transcribe","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":1955,"time_s":1795999132.7574596,"position":1,"stage":"transcribe","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('11111111111111111111111111111111','1/speaker','[{"event_id":417,"time_s":1795999131.2196455,"position":1,"stage":"speaker","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":1956,"time_s":1795999132.757711,"position":1,"stage":"speaker","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('11111111111111111111111111111111','1/vision','[{"event_id":415,"time_s":1795999131.2167752,"position":1,"stage":"vision","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":1958,"time_s":1795999132.7606544,"position":1,"stage":"vision","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('11111111111111111111111111111111','1/translate','[{"event_id":1969,"time_s":1795999132.7716236,"position":1,"stage":"translate","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2731,"time_s":1795999133.5338027,"position":1,"stage":"translate","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('11111111111111111111111111111111','1/assess','[{"event_id":2756,"time_s":1795999133.558354,"position":1,"stage":"assess","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":3530,"time_s":1795999134.3318362,"position":1,"stage":"assess","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','2/extract','[{"event_id":130,"time_s":1795999135.1094546,"position":2,"stage":"extract","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":866,"time_s":1795999135.8456,"position":2,"stage":"extract","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','1/extract','[{"event_id":134,"time_s":1795999135.1135647,"position":1,"stage":"extract","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":750,"time_s":1795999135.7294967,"position":1,"stage":"extract","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','1/vision','[{"event_id":779,"time_s":1795999135.7572303,"position":1,"stage":"vision","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2302,"time_s":1795999137.281885,"position":1,"stage":"vision","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','1/speaker','[{"event_id":780,"time_s":1795999135.7572978,"position":1,"stage":"speaker","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2312,"time_s":1795999137.291141,"position":1,"stage":"speaker","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','1/transcribe','[{"event_id":778,"time_s":1795999135.7571454,"position":1,"stage":"transcribe","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2313,"time_s":1795999137.2923927,"position":1,"stage":"transcribe","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','2/vision','[{"event_id":875,"time_s":1795999135.8539307,"position":2,"stage":"vision","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2405,"time_s":1795999137.3848956,"position":2,"stage":"vision","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','2/transcribe','[{"event_id":874,"time_s":1795999135.8538535,"position":2,"stage":"transcribe","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2407,"time_s":1795999137.3867872,"position":2,"stage":"transcribe","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','2/speaker','[{"event_id":876,"time_s":1795999135.8539605,"position":2,"stage":"speaker","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2413,"time_s":1795999137.3921378,"position":2,"stage":"speaker","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','1/translate','[{"event_id":2322,"time_s":1795999137.3016937,"position":1,"stage":"translate","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events" VALUES('22222222222222222222222222222222','2/translate','[{"event_id":2420,"time_s":1795999137.3997192,"position":2,"stage":"translate","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}}]','portable_json');
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
INSERT INTO "workflow_events_history" VALUES('11111111111111111111111111111111',1,'1/extract','[{"event_id":33,"time_s":1795999130.8347752,"position":1,"stage":"extract","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":403,"time_s":1795999131.205097,"position":1,"stage":"extract","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('11111111111111111111111111111111',2,'1/transcribe','[{"event_id":414,"time_s":1795999131.2166915,"position":1,"stage":"transcribe","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":1955,"time_s":1795999132.7574596,"position":1,"stage":"transcribe","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('11111111111111111111111111111111',6,'1/speaker','[{"event_id":417,"time_s":1795999131.2196455,"position":1,"stage":"speaker","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":1956,"time_s":1795999132.757711,"position":1,"stage":"speaker","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('11111111111111111111111111111111',5,'1/vision','[{"event_id":415,"time_s":1795999131.2167752,"position":1,"stage":"vision","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":1958,"time_s":1795999132.7606544,"position":1,"stage":"vision","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('11111111111111111111111111111111',3,'1/translate','[{"event_id":1969,"time_s":1795999132.7716236,"position":1,"stage":"translate","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2731,"time_s":1795999133.5338027,"position":1,"stage":"translate","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('11111111111111111111111111111111',4,'1/assess','[{"event_id":2756,"time_s":1795999133.558354,"position":1,"stage":"assess","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":3530,"time_s":1795999134.3318362,"position":1,"stage":"assess","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',7,'2/extract','[{"event_id":130,"time_s":1795999135.1094546,"position":2,"stage":"extract","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":866,"time_s":1795999135.8456,"position":2,"stage":"extract","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',1,'1/extract','[{"event_id":134,"time_s":1795999135.1135647,"position":1,"stage":"extract","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":750,"time_s":1795999135.7294967,"position":1,"stage":"extract","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',5,'1/vision','[{"event_id":779,"time_s":1795999135.7572303,"position":1,"stage":"vision","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2302,"time_s":1795999137.281885,"position":1,"stage":"vision","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',6,'1/speaker','[{"event_id":780,"time_s":1795999135.7572978,"position":1,"stage":"speaker","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2312,"time_s":1795999137.291141,"position":1,"stage":"speaker","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',2,'1/transcribe','[{"event_id":778,"time_s":1795999135.7571454,"position":1,"stage":"transcribe","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2313,"time_s":1795999137.2923927,"position":1,"stage":"transcribe","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',11,'2/vision','[{"event_id":875,"time_s":1795999135.8539307,"position":2,"stage":"vision","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2405,"time_s":1795999137.3848956,"position":2,"stage":"vision","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',8,'2/transcribe','[{"event_id":874,"time_s":1795999135.8538535,"position":2,"stage":"transcribe","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2407,"time_s":1795999137.3867872,"position":2,"stage":"transcribe","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',12,'2/speaker','[{"event_id":876,"time_s":1795999135.8539605,"position":2,"stage":"speaker","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}},{"event_id":2413,"time_s":1795999137.3921378,"position":2,"stage":"speaker","view":{"state":"done","done_ratio":1.0,"attempt_count":1,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',3,'1/translate','[{"event_id":2322,"time_s":1795999137.3016937,"position":1,"stage":"translate","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}}]','portable_json');
INSERT INTO "workflow_events_history" VALUES('22222222222222222222222222222222',9,'2/translate','[{"event_id":2420,"time_s":1795999137.3997192,"position":2,"stage":"translate","view":{"state":"running","done_ratio":null,"attempt_count":0,"reason":"","message":""}}]','portable_json');
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('11111111111111111111111111111111','{"namedArgs":{},"positionalArgs":[{"request":{"sessionId":"11111111111111111111111111111111","candidateName":"Ana","languageCode":"en","answers":[{"uri":"{STORE}/sessions/11111111111111111111111111111111/media/1.mp4","question":"Question 1?","fileName":"answer-1.mp4","digest":"c6647eea16859bf962789788d18e939f67d77e78c0027ed7c66fe6bc097976cd","mediaBytes":"11240"}]},"create_time_s":1795999130.8017411}]}',1795999130000);
INSERT INTO "workflow_input" VALUES('22222222222222222222222222222222','{"namedArgs":{},"positionalArgs":[{"request":{"sessionId":"22222222222222222222222222222222","candidateName":"Ana","languageCode":"en","answers":[{"uri":"{STORE}/sessions/22222222222222222222222222222222/media/1.mp4","question":"Question 1?","fileName":"answer-1.mp4","digest":"c6647eea16859bf962789788d18e939f67d77e78c0027ed7c66fe6bc097976cd","mediaBytes":"11240"},{"uri":"{STORE}/sessions/22222222222222222222222222222222/media/2.mp4","question":"Question 2?","fileName":"answer-2.mp4","digest":"c6647eea16859bf962789788d18e939f67d77e78c0027ed7c66fe6bc097976cd","mediaBytes":"11240"}]},"create_time_s":1795999134.978901}]}',1795999134000);
INSERT INTO "workflow_input" VALUES('33333333333333333333333333333333','{"namedArgs":{},"positionalArgs":[{"request":{"sessionId":"33333333333333333333333333333333","candidateName":"Ana","languageCode":"en","answers":[{"uri":"{STORE}/sessions/33333333333333333333333333333333/media/1.mp4","question":"Question 1?","fileName":"answer-1.mp4","digest":"c6647eea16859bf962789788d18e939f67d77e78c0027ed7c66fe6bc097976cd","mediaBytes":"11240"}]},"create_time_s":1795999135.320796}]}',1795999135000);
INSERT INTO "workflow_input" VALUES('11111111111111111111111111111111-2','{"namedArgs":{},"positionalArgs":[{"request":{"sessionId":"11111111111111111111111111111111","candidateName":"Ana","languageCode":"en","answers":[{"uri":"{STORE}/sessions/11111111111111111111111111111111/media/1.mp4","question":"Question 1?","fileName":"answer-1.mp4","digest":"c6647eea16859bf962789788d18e939f67d77e78c0027ed7c66fe6bc097976cd","mediaBytes":"11240"}],"rubricId":"technical"},"records":{"1":{"extract":{"stage":"extract","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/extract-c0f879c2908acd33aed1e36f512e92cd.pb","attempt_count":1,"queue_s":0.0,"run_s":0.363,"reused":false,"model":{}},"transcribe":{"stage":"transcribe","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/transcribe-c2465fc1b50b9d4b8f610dce9e458759.pb","attempt_count":1,"queue_s":0.0,"run_s":1.529,"reused":false,"model":{"name":"fake-whisper","version":"1","digest":"abababababababababababababababababababababababababababababababab","device":"cpu"}},"translate":{"stage":"translate","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/translate-f308887f89b55630753cd008f3776ced.pb","attempt_count":1,"queue_s":0.0,"run_s":0.755,"reused":false,"model":{"name":"fake-translator","version":"1","digest":"","device":""}},"assess":{"stage":"assess","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/assess-23ce4ef6d9aee2149d3f4af35b547659.pb","attempt_count":1,"queue_s":0.0,"run_s":0.76,"reused":false,"model":{}},"vision":{"stage":"vision","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/vision-3d285fd7f5ce761187766a121f14f4f0.pb","attempt_count":1,"queue_s":0.0,"run_s":1.521,"reused":false,"model":{"name":"fake-landmarker","version":"1","digest":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","device":""}},"speaker":{"stage":"speaker","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/speaker-f3a3032166363b9ac929a15f2e3ec229.pb","attempt_count":1,"queue_s":0.0,"run_s":1.527,"reused":false,"model":{"name":"fake-encoder","version":"1","digest":"1212121212121212121212121212121212121212121212121212121212121212","device":""}}}},"version_id":2,"create_time_s":1795999135.3782449}]}',1795999135000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('11111111111111111111111111111111','{"state":"completed","reason":"","message":"","records":{"1":{"extract":{"stage":"extract","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/extract-c0f879c2908acd33aed1e36f512e92cd.pb","attempt_count":1,"queue_s":0.0,"run_s":0.363,"reused":false,"model":{}},"transcribe":{"stage":"transcribe","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/transcribe-c2465fc1b50b9d4b8f610dce9e458759.pb","attempt_count":1,"queue_s":0.0,"run_s":1.529,"reused":false,"model":{"name":"fake-whisper","version":"1","digest":"abababababababababababababababababababababababababababababababab","device":"cpu"}},"translate":{"stage":"translate","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/translate-f308887f89b55630753cd008f3776ced.pb","attempt_count":1,"queue_s":0.0,"run_s":0.755,"reused":false,"model":{"name":"fake-translator","version":"1","digest":"","device":""}},"assess":{"stage":"assess","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/assess-23ce4ef6d9aee2149d3f4af35b547659.pb","attempt_count":1,"queue_s":0.0,"run_s":0.76,"reused":false,"model":{}},"vision":{"stage":"vision","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/vision-3d285fd7f5ce761187766a121f14f4f0.pb","attempt_count":1,"queue_s":0.0,"run_s":1.521,"reused":false,"model":{"name":"fake-landmarker","version":"1","digest":"efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef","device":""}},"speaker":{"stage":"speaker","state":"done","outcome":"OK","reason":"","message":"","output_key":"sessions/11111111111111111111111111111111/outputs/1/speaker-f3a3032166363b9ac929a15f2e3ec229.pb","attempt_count":1,"queue_s":0.0,"run_s":1.527,"reused":false,"model":{"name":"fake-encoder","version":"1","digest":"1212121212121212121212121212121212121212121212121212121212121212","device":""}}}},"end_time_s":1795999134.3737352}',NULL,1795999134000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('11111111111111111111111111111111','SUCCESS','session',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795999130000,1795999134000,'1','',NULL,NULL,1,'sessions',NULL,NULL,NULL,1795999130000,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795999134000,'null',NULL,NULL,0,'interview-orchestrator','917a369e-8b10-4e5c-99eb-f5b461f4c62e');
INSERT INTO "workflow_status" VALUES('22222222222222222222222222222222','PENDING','session',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795999134000,1795999135000,'1','',NULL,NULL,1,'sessions',NULL,NULL,NULL,1795999135000,NULL,0,NULL,NULL,'15a5969e-bc73-4cd4-8a80-e7a69253c72f',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'interview-orchestrator','7b0a7705-bb06-4027-b1d7-4a3671eb92e0');
INSERT INTO "workflow_status" VALUES('33333333333333333333333333333333','ENQUEUED','session',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795999135000,1795999135000,'1','',NULL,NULL,0,'sessions',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'interview-orchestrator','206475b3-819e-4777-83eb-12b1b1a75b3c');
INSERT INTO "workflow_status" VALUES('11111111111111111111111111111111-2','ENQUEUED','reassessment',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795999135000,1795999135000,'1','',NULL,NULL,0,'sessions',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'interview-orchestrator','90bea0cd-1e3f-4568-b0c6-6b8046b69c5d');
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
