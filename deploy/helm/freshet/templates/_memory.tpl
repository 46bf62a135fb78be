{{/* The memory limit of a service; empty if it has none. Takes service. */}}
{{- define "freshet.memory.limit" -}}
{{- with .service.resources -}}{{- with .limits -}}{{ .memory }}{{- end -}}{{- end -}}
{{- end }}

{{/* Bytes of a quantity of memory such as 512Mi; empty if there is none. Takes the quantity. */}}
{{- define "freshet.bytes" -}}
{{- if . -}}
{{- $units := dict "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- mulf (trimSuffix $unit . | float64) (get $units $unit) | int64 -}}
{{- end -}}
{{- end }}

{{/* What services keep in memory, measured by memory.test.ts: bytes of the process itself and of one pin. */}}
{{- define "freshet.memory.costs" -}}
ranker: { process: 268435456, pin: 1200 }
blender: { process: 268435456, pin: 300, vector: 200 }
{{- end }}

{{/* The caps that fit the memory limit of a service, by the names of its settings, as YAML. They do not exceed the defaults of the service. Takes name and service. */}}
{{- define "freshet.memory.caps" -}}
{{- $limit := include "freshet.bytes" (include "freshet.memory.limit" .) -}}
{{- $costs := get (include "freshet.memory.costs" . | fromYaml) .name -}}
{{- $caps := dict -}}
{{- if and $limit $costs -}}
{{- $room := max 0 (sub (int64 $limit) (int64 $costs.process)) -}}
{{- if eq .name "ranker" -}}
{{- $_ := set $caps "RANKING_MAX_PINS" (min 4000000 (div $room (int64 $costs.pin))) -}}
{{- else if eq .name "blender" -}}
{{- $_ := set $caps "BLENDER_MAX_PINS" (min 4000000 (div (div $room 2) (int64 $costs.pin))) -}}
{{- $_ := set $caps "BLENDER_MAX_PIN_VECTORS" (min 2000000 (div (div $room 4) (int64 $costs.vector))) -}}
{{- $_ := set $caps "BLENDER_MAX_PIN_CARD_BYTES" (min 536870912 (div $room 4)) -}}
{{- end -}}
{{- end -}}
{{- range $setting, $cap := $caps }}
{{ $setting }}: {{ $cap }}
{{- end -}}
{{- end }}

{{/* Environment variables that follow from the memory limit of a service, as YAML. Takes name and service. */}}
{{- define "freshet.memory.env" -}}
{{- $env := dict -}}
{{- $limit := include "freshet.bytes" (include "freshet.memory.limit" .) -}}
{{- if $limit -}}
{{- /* Node.js would take half of the limit for its heap, and end although there is memory. */ -}}
{{- $_ := set $env "NODE_OPTIONS" (dict "value" (printf "--max-old-space-size=%d" (div (mul 3 (int64 $limit)) 4194304))) -}}
{{- end -}}
{{- range $setting, $cap := (include "freshet.memory.caps" . | fromYaml) -}}
{{- $_ := set $env (printf "FRESHET_%s" $setting) (dict "value" (toString (int64 $cap))) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* Rejects caps of a service that need more memory than its limit. Takes name and service. */}}
{{- define "freshet.checks.memory" -}}
{{- $limit := include "freshet.bytes" (include "freshet.memory.limit" .) -}}
{{- $costs := get (include "freshet.memory.costs" . | fromYaml) .name -}}
{{- if and $limit $costs -}}
{{- $config := merge (dict) (default dict .service.config) (include "freshet.memory.caps" . | fromYaml) -}}
{{- $needed := int64 $costs.process -}}
{{- $each := dict "RANKING_MAX_PINS" $costs.pin "BLENDER_MAX_PINS" $costs.pin "BLENDER_MAX_PIN_VECTORS" $costs.vector "BLENDER_MAX_PIN_CARD_BYTES" 1 -}}
{{- range $setting, $bytes := $each -}}
{{- if hasKey $config $setting -}}
{{- $needed = add $needed (mul (get $config $setting | int64) (int64 $bytes)) -}}
{{- end -}}
{{- end -}}
{{- if gt $needed (int64 $limit) -}}
{{- $set := keys (pick (default dict .service.config) "RANKING_MAX_PINS" "BLENDER_MAX_PINS" "BLENDER_MAX_PIN_VECTORS" "BLENDER_MAX_PIN_CARD_BYTES") | sortAlpha | join ", " -}}
{{- fail (printf "services.%s.resources.limits.memory is %s, but the caps need %d MiB (services.%s.config: %s); raise the limit, or leave the caps out: the chart computes what fits" .name (include "freshet.memory.limit" .) (div (add $needed 1048575) 1048576) .name (default "none is set, the limit is less than an empty process needs" $set)) -}}
{{- end -}}
{{- end -}}
{{- end }}
