{{/* Environment variables for the connection to Kafka, by name, as YAML. Takes root. */}}
{{- define "freshet.kafka.env" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $env := dict "FRESHET_KAFKA_BROKERS" (dict "value" (join "," $kafka.brokers)) -}}
{{- if $kafka.tls.enabled -}}
{{- $_ := set $env "FRESHET_KAFKA_TLS_ENABLED" (dict "value" "true") -}}
{{- $env = merge $env (include "freshet.tls.env" (dict "of" "KAFKA" "tls" $kafka.tls) | fromYaml) -}}
{{- end -}}
{{- if ne $kafka.sasl.mechanism "none" -}}
{{- $_ := set $env "FRESHET_KAFKA_SASL_MECHANISM" (dict "value" $kafka.sasl.mechanism) -}}
{{- $_ := set $env "FRESHET_KAFKA_SASL_USERNAME" (dict "value" $kafka.sasl.username) -}}
{{- $_ := set $env "FRESHET_KAFKA_SASL_PASSWORD_FILE" (dict "value" (printf "/etc/freshet/kafka-password/%s" $kafka.sasl.passwordSecret.key)) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* Environment variables for the connection to Redis, by name, as YAML. Takes root. */}}
{{- define "freshet.redis.env" -}}
{{- $redis := .root.Values.redis -}}
{{- $env := dict -}}
{{- if $redis.urlSecret.name -}}
{{- $_ := set $env "FRESHET_REDIS_URL" (dict "valueFrom" (dict "secretKeyRef" (dict "name" $redis.urlSecret.name "key" $redis.urlSecret.key))) -}}
{{- else if $redis.clusterNodes -}}
{{- $_ := set $env "FRESHET_REDIS_CLUSTER_NODES" (dict "value" (join "," $redis.clusterNodes)) -}}
{{- else -}}
{{- $_ := set $env "FRESHET_REDIS_URL" (dict "value" $redis.url) -}}
{{- end -}}
{{- if $redis.username -}}
{{- $_ := set $env "FRESHET_REDIS_USERNAME" (dict "value" $redis.username) -}}
{{- end -}}
{{- if $redis.passwordSecret.name -}}
{{- $_ := set $env "FRESHET_REDIS_PASSWORD_FILE" (dict "value" (printf "/etc/freshet/redis-password/%s" $redis.passwordSecret.key)) -}}
{{- end -}}
{{- toYaml (merge $env (include "freshet.tls.env" (dict "of" "REDIS" "tls" $redis.tls) | fromYaml)) -}}
{{- end }}

{{/* Environment variables for the files of a TLS connection. Takes of (KAFKA, REDIS) and tls. */}}
{{- define "freshet.tls.env" -}}
{{- $env := dict -}}
{{- $at := printf "/etc/freshet/%s" (lower .of) -}}
{{- with .tls.caSecret -}}
{{- if .name -}}
{{- $_ := set $env (printf "FRESHET_%s_TLS_CA_FILE" $.of) (dict "value" (printf "%s-ca/%s" $at .key)) -}}
{{- end -}}
{{- end -}}
{{- with .tls.clientSecret -}}
{{- if .name -}}
{{- $_ := set $env (printf "FRESHET_%s_TLS_CERT_FILE" $.of) (dict "value" (printf "%s-client/%s" $at .certKey)) -}}
{{- $_ := set $env (printf "FRESHET_%s_TLS_KEY_FILE" $.of) (dict "value" (printf "%s-client/%s" $at .keyKey)) -}}
{{- end -}}
{{- end -}}
{{- if .tls.serverName -}}
{{- $_ := set $env (printf "FRESHET_%s_TLS_SERVER_NAME" .of) (dict "value" .tls.serverName) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* Secrets of the connections by volume name, as YAML. Takes root and redis (whether the service needs Redis). */}}
{{- define "freshet.secrets" -}}
{{- $secrets := dict -}}
{{- $kafka := .root.Values.kafka -}}
{{- if $kafka.tls.enabled -}}
{{- $_ := set $secrets "kafka-ca" $kafka.tls.caSecret.name -}}
{{- $_ := set $secrets "kafka-client" $kafka.tls.clientSecret.name -}}
{{- end -}}
{{- if ne $kafka.sasl.mechanism "none" -}}
{{- $_ := set $secrets "kafka-password" $kafka.sasl.passwordSecret.name -}}
{{- end -}}
{{- if .redis -}}
{{- $redis := .root.Values.redis -}}
{{- $_ := set $secrets "redis-ca" $redis.tls.caSecret.name -}}
{{- $_ := set $secrets "redis-client" $redis.tls.clientSecret.name -}}
{{- $_ := set $secrets "redis-password" $redis.passwordSecret.name -}}
{{- end -}}
{{- $named := dict -}}
{{- range $volume, $secret := $secrets -}}
{{- if $secret -}}
{{- $_ := set $named $volume $secret -}}
{{- end -}}
{{- end -}}
{{- toYaml $named -}}
{{- end }}

{{/* Environment variables as a list in the form of Kubernetes. Takes env (by name) and more (such lists, which override env; the last entry of a name wins). */}}
{{- define "freshet.env.list" -}}
{{- $env := .env -}}
{{- $more := list -}}
{{- $names := dict -}}
{{- range reverse .more -}}
{{- if not (hasKey $names .name) -}}
{{- $_ := set $names .name true -}}
{{- $_ := unset $env .name -}}
{{- $more = prepend $more . -}}
{{- end -}}
{{- end -}}
{{- $list := list -}}
{{- range $name, $entry := $env -}}
{{- $list = append $list (merge (dict "name" $name) $entry) -}}
{{- end -}}
{{- toYaml (concat $list $more) -}}
{{- end }}
