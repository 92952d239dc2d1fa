-- fact: incident_hours.zone
-- needs: incident_teamed, person_epoch
-- Hour class of the first page in the paged person's zone as it was then, else of the
-- opening in the organisation's zone.
incident_wall AS (
    SELECT i.*,
        toUInt8(i.is_paged AND p.member != '' AND i.owned_at < p.sure_from AND p.zone != '') AS uses_zone,
        toUInt8(i.is_paged AND p.zone = '') AS uses_org_zone,
        p.hours_described AS hours_described, p.working_hours AS working_hours, p.holidays AS holidays,
        toDateTime64(toString(i.owned_at, if(p.zone = '', {tz:String}, p.zone)), 3, 'UTC') AS wall
    FROM (SELECT *, if(is_paged, transform(paged.3, {alias:Array(String)}, {person_of:Array(String)}, paged.3), '') AS paged_member FROM incident_teamed) AS i
    ASOF LEFT JOIN person_epoch AS p ON i.paged_member = p.member AND i.owned_at >= p.valid_from),
incident_hours AS (
    SELECT *, /*hour_class*/ AS hour_class
    FROM (SELECT *, /*hour_slot*/ FROM incident_wall))
