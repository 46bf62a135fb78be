{{/* Addresses of Kafka, as a YAML list. Takes the root. */}}
{{- define "freshet.kafka.brokers" -}}
{{- if .Values.development.kafka.enabled -}}
- {{ include "freshet.fullname" (dict "root" . "name" "development-kafka") }}:9092
{{- else -}}
{{- toYaml .Values.kafka.brokers -}}
{{- end -}}
{{- end }}

{{/* The login of a service or of the job at Kafka: mechanism, username, passwordSecret (name, key), as YAML. Takes root and name. */}}
{{- define "freshet.kafka.login" -}}
{{- if .root.Values.strimzi.users -}}
{{- /* The operator makes a secret with the name of the user. */ -}}
{{- $user := include "freshet.fullname" . -}}
{{- toYaml (dict "mechanism" "scram-sha-512" "username" $user "passwordSecret" (dict "name" $user "key" "password")) -}}
{{- else -}}
{{- toYaml .root.Values.kafka.sasl -}}
{{- end -}}
{{- end }}

{{/* Environment variables for the connection to Kafka, by name, as YAML. Takes root and name. */}}
{{- define "freshet.kafka.env" -}}
{{- $kafka := .root.Values.kafka -}}
{{- $login := include "freshet.kafka.login" . | fromYaml -}}
{{- $env := dict "FRESHET_KAFKA_BROKERS" (dict "value" (include "freshet.kafka.brokers" .root | fromYamlArray | join ",")) -}}
{{- if $kafka.tls.enabled -}}
{{- $_ := set $env "FRESHET_KAFKA_TLS_ENABLED" (dict "value" "true") -}}
{{- $env = merge $env (include "freshet.tls.env" (dict "of" "KAFKA" "tls" $kafka.tls) | fromYaml) -}}
{{- end -}}
{{- if ne $login.mechanism "none" -}}
{{- $_ := set $env "FRESHET_KAFKA_SASL_MECHANISM" (dict "value" $login.mechanism) -}}
{{- $_ := set $env "FRESHET_KAFKA_SASL_USERNAME" (dict "value" $login.username) -}}
{{- $_ := set $env "FRESHET_KAFKA_SASL_PASSWORD_FILE" (dict "value" (printf "/etc/freshet/kafka-password/%s" $login.passwordSecret.key)) -}}
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
{{- $development := printf "redis://%s:6379" (include "freshet.fullname" (dict "root" .root "name" "development-redis")) -}}
{{- $_ := set $env "FRESHET_REDIS_URL" (dict "value" (ternary $development $redis.url .root.Values.development.redis.enabled)) -}}
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

{{/* "true" for services that call other services, and so need the internal key. Takes name. */}}
{{- define "freshet.callsServices" -}}
{{- if has .name (list "blender" "candidate-service") -}}true{{- end -}}
{{- end }}

{{/* "true" for services that have calls for users with read tokens. Takes name. */}}
{{- define "freshet.readsTokens" -}}
{{- if has .name (list "blender" "event-ingest") -}}true{{- end -}}
{{- end }}

{{/* Environment variables for keys and for the TLS of a service's own ports, by name, as YAML. Takes root and name. */}}
{{- define "freshet.access.env" -}}
{{- $access := .root.Values.access -}}
{{- $tls := .root.Values.tls -}}
{{- $files := dict -}}
{{- $env := dict -}}
{{- if $access.open -}}
{{- $_ := set $env "FRESHET_ACCESS_OPEN" (dict "value" "true") -}}
{{- else -}}
{{- $_ := set $files "ACCESS_KEYS_FILE" (printf "keys/%s" $access.keysKey) -}}
{{- if include "freshet.callsServices" . -}}
{{- $_ := set $files "ACCESS_INTERNAL_KEY_FILE" (printf "keys/%s" $access.internalKeyKey) -}}
{{- end -}}
{{- if include "freshet.readsTokens" . -}}
{{- range $setting, $key := dict "ACCESS_JWT_SECRET_FILE" $access.jwt.secretKey "ACCESS_JWT_JWKS_FILE" $access.jwt.jwksKey -}}
{{- if $key -}}
{{- $_ := set $files $setting (printf "keys/%s" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if include "freshet.readsTokens" . -}}
{{- range $setting, $value := dict "JWKS_URL" $access.jwt.jwksUrl "ISSUER" $access.jwt.issuer "AUDIENCE" $access.jwt.audience -}}
{{- if $value -}}
{{- $_ := set $env (printf "FRESHET_ACCESS_JWT_%s" $setting) (dict "value" $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $tls.serverSecret.name -}}
{{- $_ := set $files "TLS_CERT_FILE" (printf "tls-server/%s" $tls.serverSecret.certKey) -}}
{{- $_ := set $files "TLS_KEY_FILE" (printf "tls-server/%s" $tls.serverSecret.keyKey) -}}
{{- $_ := set $files "TLS_CA_FILE" (printf "tls-ca/%s" $tls.caSecret.key) -}}
{{- if $tls.operations -}}
{{- $_ := set $env "FRESHET_TLS_OPERATIONS" (dict "value" "true") -}}
{{- end -}}
{{- end -}}
{{- if $tls.clientCaSecret.name -}}
{{- $_ := set $files "TLS_CLIENT_CA_FILE" (printf "tls-client-ca/%s" $tls.clientCaSecret.key) -}}
{{- end -}}
{{- range $setting, $file := $files -}}
{{- $_ := set $env (printf "FRESHET_%s" $setting) (dict "value" (printf "/etc/freshet/%s" $file)) -}}
{{- end -}}
{{- toYaml $env -}}
{{- end }}

{{/* Secrets of a container by volume name, each with its name and the keys that the container reads, as YAML. Takes root, name, redis (whether it needs Redis) and serves (whether it is a service). */}}
{{- define "freshet.secrets" -}}
{{- $secrets := dict -}}
{{- if .serves -}}
{{- $access := .root.Values.access -}}
{{- $keys := list $access.keysKey -}}
{{- if include "freshet.callsServices" . -}}
{{- $keys = append $keys $access.internalKeyKey -}}
{{- end -}}
{{- if include "freshet.readsTokens" . -}}
{{- $keys = concat $keys (compact (list $access.jwt.secretKey $access.jwt.jwksKey)) -}}
{{- end -}}
{{- $tls := .root.Values.tls -}}
{{- $_ := set $secrets "keys" (dict "name" $access.existingSecret "keys" $keys) -}}
{{- $_ := set $secrets "tls-server" (dict "name" $tls.serverSecret.name "keys" (list $tls.serverSecret.certKey $tls.serverSecret.keyKey)) -}}
{{- $_ := set $secrets "tls-ca" (dict "name" $tls.caSecret.name "keys" (list $tls.caSecret.key)) -}}
{{- $_ := set $secrets "tls-client-ca" (dict "name" $tls.clientCaSecret.name "keys" (list $tls.clientCaSecret.key)) -}}
{{- end -}}
{{- $kafka := .root.Values.kafka -}}
{{- if $kafka.tls.enabled -}}
{{- $_ := set $secrets "kafka-ca" (dict "name" $kafka.tls.caSecret.name "keys" (list $kafka.tls.caSecret.key)) -}}
{{- $_ := set $secrets "kafka-client" (dict "name" $kafka.tls.clientSecret.name "keys" (list $kafka.tls.clientSecret.certKey $kafka.tls.clientSecret.keyKey)) -}}
{{- end -}}
{{- $login := include "freshet.kafka.login" . | fromYaml -}}
{{- if ne $login.mechanism "none" -}}
{{- $_ := set $secrets "kafka-password" (dict "name" $login.passwordSecret.name "keys" (list $login.passwordSecret.key)) -}}
{{- end -}}
{{- if .redis -}}
{{- $redis := .root.Values.redis -}}
{{- $_ := set $secrets "redis-ca" (dict "name" $redis.tls.caSecret.name "keys" (list $redis.tls.caSecret.key)) -}}
{{- $_ := set $secrets "redis-client" (dict "name" $redis.tls.clientSecret.name "keys" (list $redis.tls.clientSecret.certKey $redis.tls.clientSecret.keyKey)) -}}
{{- $_ := set $secrets "redis-password" (dict "name" $redis.passwordSecret.name "keys" (list $redis.passwordSecret.key)) -}}
{{- end -}}
{{- $named := dict -}}
{{- range $volume, $secret := $secrets -}}
{{- if $secret.name -}}
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
