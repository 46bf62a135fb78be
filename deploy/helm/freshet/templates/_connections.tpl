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

{{/* Environment variables for keys and for the TLS of a service's own ports, by name, as YAML. Takes root. */}}
{{- define "freshet.access.env" -}}
{{- $access := .root.Values.access -}}
{{- $tls := .root.Values.tls -}}
{{- $files := dict -}}
{{- $env := dict -}}
{{- if $access.open -}}
{{- $_ := set $env "FRESHET_ACCESS_OPEN" (dict "value" "true") -}}
{{- else -}}
{{- $_ := set $files "ACCESS_KEYS_FILE" (printf "keys/%s" $access.keysKey) -}}
{{- $_ := set $files "ACCESS_INTERNAL_KEY_FILE" (printf "keys/%s" $access.internalKeyKey) -}}
{{- range $setting, $key := dict "ACCESS_JWT_SECRET_FILE" $access.jwt.secretKey "ACCESS_JWT_JWKS_FILE" $access.jwt.jwksKey -}}
{{- if $key -}}
{{- $_ := set $files $setting (printf "keys/%s" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $setting, $value := dict "JWKS_URL" $access.jwt.jwksUrl "ISSUER" $access.jwt.issuer "AUDIENCE" $access.jwt.audience -}}
{{- if $value -}}
{{- $_ := set $env (printf "FRESHET_ACCESS_JWT_%s" $setting) (dict "value" $value) -}}
{{- end -}}
{{- end -}}
{{- if $tls.serverSecret.name -}}
{{- $_ := set $files "TLS_CERT_FILE" (printf "tls-server/%s" $tls.serverSecret.certKey) -}}
{{- $_ := set $files "TLS_KEY_FILE" (printf "tls-server/%s" $tls.serverSecret.keyKey) -}}
{{- $_ := set $files "TLS_CA_FILE" (printf "tls-ca/%s" $tls.caSecret.key) -}}
{{- end -}}
{{- if $tls.clientCaSecret.name -}}
{{- $_ := set $files "TLS_CLIENT_CA_FILE" (printf "tls-client-ca/%s" $tls.clientCaSecret.key) -}}
{{- end -}}
{{- range $setting, $file := $files -}}
{{- $_ := set $env (printf "FRESHET_%s" $setting) (dict "value" (printf "/etc/freshet/%s" $file)) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* Secrets of a container by volume name, as YAML. Takes root, redis (whether it needs Redis) and serves (whether it is a service). */}}
{{- define "freshet.secrets" -}}
{{- $secrets := dict -}}
{{- if .serves -}}
{{- $tls := .root.Values.tls -}}
{{- $_ := set $secrets "keys" .root.Values.access.existingSecret -}}
{{- $_ := set $secrets "tls-server" $tls.serverSecret.name -}}
{{- $_ := set $secrets "tls-ca" $tls.caSecret.name -}}
{{- $_ := set $secrets "tls-client-ca" $tls.clientCaSecret.name -}}
{{- end -}}
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
