-- fact: page_hours.none
-- needs: page_begun
page_hours AS (
    SELECT *, '' AS hour_class, toUInt8(0) AS uses_zone, toUInt8(0) AS uses_org_zone, toUInt8(0) AS starts_night, at AS wall FROM page_begun)
