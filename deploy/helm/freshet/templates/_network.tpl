{{/* The port of an address (host:port, or a URL). Takes address and default. */}}
{{- define "freshet.network.port" -}}
{{- $host := regexReplaceAll "/.*$" (regexReplaceAll "^[a-z]+://" .address "") "" -}}
{{- $port := regexFind ":[0-9]+$" $host -}}
{{- ternary (trimPrefix ":" $port) (toString .default) (ne $port "") -}}
{{- end }}

{{/* The ports of addresses, each once, as a YAML list. Takes addresses and default. */}}
{{- define "freshet.network.ports" -}}
{{- $ports := list -}}
{{- $default := .default -}}
{{- range .addresses -}}
{{- $ports = append $ports (include "freshet.network.port" (dict "address" . "default" $default) | int) -}}
{{- end -}}
{{- toYaml ($ports | uniq) -}}
{{- end }}
