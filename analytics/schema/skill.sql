-- projection: skill
-- Dated facts: what somebody showed of a skill, and which evidence was voided since. voids
-- is the id of the evidence that a voiding takes out, and empty for evidence.
CREATE TABLE skill
(
    person       String,
    skill        LowCardinality(String),
    at           DateTime64(3, 'UTC'),
    id           String,
    source       LowCardinality(String),
    kind         LowCardinality(String),
    ref          String,
    rule_version String,
    voids        String,
    seen         DateTime64(3, 'UTC'),
    unseen       UInt64
)
ENGINE = ReplacingMergeTree(unseen)
ORDER BY (person, skill, at, id, source)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1;

SELECT
    events.person AS person,
    if(events.kind = 'skill.evidenced', JSONExtractString(data, 'skill'), '') AS skill,
    at, id, source,
    if(events.kind = 'skill.evidenced', JSONExtractString(data, 'kind'), '') AS kind,
    if(JSONType(data, 'ref') = 'String', JSONExtractString(data, 'ref'), JSONExtractRaw(data, 'ref')) AS ref,
    if(JSONType(data, 'rule_version') = 'String', JSONExtractString(data, 'rule_version'), JSONExtractRaw(data, 'rule_version')) AS rule_version,
    if(events.kind = 'evidence.voided', JSONExtractString(data, 'evidence'), '') AS voids,
    seen, unseen
FROM events
WHERE events.kind IN ('skill.evidenced', 'evidence.voided')
