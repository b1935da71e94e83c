select '{{ env_var('SQLML_SECRET_KEY') }}' as x
