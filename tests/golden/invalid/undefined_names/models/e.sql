select '{{ env_var('NO_SUCH_VARIABLE') }}' as x from {{ ref('letters') }}
