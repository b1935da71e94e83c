select * from {{ predict('late') }}
