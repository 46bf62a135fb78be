{{/* Labels that find the pods of one service. Takes root and name. */}}
{{- define "freshet.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- end }}

{{/* All labels of a resource. Takes root and name. */}}
{{- define "freshet.labels" -}}
{{ include "freshet.selector" . }}
app.kubernetes.io/part-of: freshet
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Name of a resource. Takes root and name. */}}
{{- define "freshet.fullname" -}}
{{ printf "%s-%s" .root.Release.Name .name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Image of a service. Takes root and name. */}}
{{- define "freshet.image" -}}
{{ printf "%s/%s:%s" .root.Values.image.registry .name (default .root.Chart.AppVersion .root.Values.image.tag) }}
{{- end }}

{{/* Where Kafka and Redis are. Takes root and needs. */}}
{{- define "freshet.connections" -}}
{{- if has "kafka" .needs }}
- name: FRESHET_KAFKA_BROKERS
  value: {{ join "," .root.Values.kafka.brokers | quote }}
{{- end }}
{{- if has "redis" .needs }}
- name: FRESHET_REDIS_URL
  {{- if .root.Values.redis.urlSecret.name }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.redis.urlSecret.name }}
      key: {{ .root.Values.redis.urlSecret.key }}
  {{- else }}
  value: {{ .root.Values.redis.url | quote }}
  {{- end }}
{{- end }}
{{- end }}

{{/* What every container is not allowed. */}}
{{- define "freshet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* What every pod is not allowed. */}}
{{- define "freshet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}
