-- fact: page_judged
-- needs: page_keyed, review_said
-- The pages in question with their verdict, empty without one. A review that names a page is
-- of that page alone, else it is of every page of its incident; the latest by (at, id) holds.
page_judged AS (
    SELECT p.*, greatest(a.said, b.said).4 AS verdict
    FROM page_keyed AS p
    LEFT JOIN (SELECT page, max((at, id, source, verdict)) AS said FROM review_said WHERE page != '' GROUP BY page) AS a ON p.page = a.page
    LEFT JOIN (SELECT incident, max((at, id, source, verdict)) AS said FROM review_said WHERE page = '' GROUP BY incident) AS b ON p.incident = b.incident
    WHERE NOT p.is_unanswered)
