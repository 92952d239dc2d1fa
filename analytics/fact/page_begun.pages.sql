-- fact: page_begun.pages
-- needs: page_row
-- For the metric pages every page stands for itself.
page_begun AS (SELECT *, toUInt8(0) AS starts_group FROM page_row)
