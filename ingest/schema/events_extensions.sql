-- CloudEvents attributes outside Steward's own vocabulary, as a JSON object; empty for
-- none. Kept as they came; nothing is computed from them.
ALTER TABLE events ADD COLUMN IF NOT EXISTS extensions String CODEC(ZSTD(1)) AFTER data;
