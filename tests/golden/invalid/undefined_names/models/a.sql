select * from {{ reff('letters') }}
