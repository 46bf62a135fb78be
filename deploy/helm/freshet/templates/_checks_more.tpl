{{/* Rejects values of earlier charts and names what replaces them (files/removed.json). */}}
{{- define "freshet.checks.removed" -}}
{{- $values := .Values -}}
{{- range $path, $successor := (.Files.Get "files/removed.json" | fromJson) -}}
{{- $parts := splitList "." $path -}}
{{- if eq (index $parts 1) "*" -}}
{{- range $name, $service := $values.services -}}
{{- if hasKey (default dict $service) (last $parts) -}}
{{- fail (printf "services.%s.%s no longer exists: %s" $name (last $parts) $successor) -}}
{{- end -}}
{{- end -}}
{{- else -}}
{{- $place := $values -}}
{{- range initial $parts -}}
{{- $place = get $place . | default dict -}}
{{- end -}}
{{- if hasKey $place (last $parts) -}}
{{- fail (printf "%s no longer exists: %s" $path $successor) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Kafka and Redis: of one's own, or for development. */}}
{{- define "freshet.checks.development" -}}
{{- $development := .Values.development -}}
{{- if and (not .Values.kafka.brokers) (not $development.kafka.enabled) -}}
{{- fail "kafka.brokers is empty; give host:port of one or more brokers, or set development.kafka.enabled=true for a Kafka without a disk" -}}
{{- end -}}
{{- if and .Values.kafka.brokers $development.kafka.enabled -}}
{{- fail "kafka.brokers is set although development.kafka.enabled is true; set only one of them" -}}
{{- end -}}
{{- if and $development.kafka.enabled (or .Values.kafka.tls.enabled (ne .Values.kafka.sasl.mechanism "none")) -}}
{{- fail "development.kafka.enabled is true although kafka.tls or kafka.sasl is set; the Kafka for development has neither" -}}
{{- end -}}
{{- $redis := .Values.redis -}}
{{- $given := or $redis.url $redis.clusterNodes $redis.urlSecret.name -}}
{{- if and (not $given) (not $development.redis.enabled) -}}
{{- fail "no address of Redis: set redis.url, redis.clusterNodes or redis.urlSecret.name, or development.redis.enabled=true for a Redis without a disk" -}}
{{- end -}}
{{- if and $given $development.redis.enabled -}}
{{- fail "an address of redis is set although development.redis.enabled is true; set only one of them" -}}
{{- end -}}
{{- if and $development.redis.enabled (or $redis.username $redis.passwordSecret.name) -}}
{{- fail "development.redis.enabled is true although redis has a login; the Redis for development has none" -}}
{{- end -}}
{{- end }}

{{/* Resources of Strimzi. */}}
{{- define "freshet.checks.strimzi" -}}
{{- $strimzi := .Values.strimzi -}}
{{- if and $strimzi.topics .Values.topics.apply -}}
{{- fail "strimzi.topics is true although topics.apply is true: the job and the operator would both make the topics; set topics.apply=false" -}}
{{- end -}}
{{- if and $strimzi.users (not $strimzi.topics) -}}
{{- fail "strimzi.users is true without strimzi.topics: the job of the topics runs before the operator has made its user; set strimzi.topics=true and topics.apply=false" -}}
{{- end -}}
{{- if and $strimzi.users (or (ne .Values.kafka.sasl.mechanism "none") .Values.kafka.sasl.username .Values.kafka.sasl.passwordSecret.name) -}}
{{- fail "kafka.sasl is set although strimzi.users is true: each service logs in as its own KafkaUser; leave kafka.sasl at its defaults" -}}
{{- end -}}
{{- $updater := default dict (get .Values.services "feature-updater") -}}
{{- $group := default "feature-updater" (get (default dict $updater.config) "UPDATER_GROUP") -}}
{{- if and $strimzi.users (ne $group "feature-updater") -}}
{{- fail (printf "services.feature-updater.config.UPDATER_GROUP is %s, but the KafkaUser of strimzi.users has rights for the group feature-updater; leave the group out, or make the users with `freshet topics acls`" $group) -}}
{{- end -}}
{{- if and $strimzi.users .Values.development.kafka.enabled -}}
{{- fail "strimzi.users and development.kafka.enabled exclude each other; set one of them" -}}
{{- end -}}
{{- end }}

{{/* Ways from outside. */}}
{{- define "freshet.checks.routes" -}}
{{- range $kind := list "http" "grpc" -}}
{{- $route := get $.Values.routes $kind -}}
{{- if and $route.enabled (not $route.parentRefs) -}}
{{- fail (printf "routes.%s.enabled is true without routes.%s.parentRefs; name the Gateway" $kind $kind) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Autoscalers. Takes root, name, service. */}}
{{- define "freshet.checks.scaling" -}}
{{- if include "freshet.isScaled" . -}}
{{- $scaling := .service.autoscaling -}}
{{- $at := printf "services.%s.autoscaling" .name -}}
{{- if gt (int $scaling.minReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "%s.minReplicas is %v, more than maxReplicas, %v" $at $scaling.minReplicas $scaling.maxReplicas) -}}
{{- end -}}
{{- if eq .name "feature-updater" -}}
{{- if gt (int $scaling.maxReplicas) (int .root.Values.topics.partitions) -}}
{{- fail (printf "%s.maxReplicas is %v, more than topics.partitions, %v: further pods would have no partition" $at $scaling.maxReplicas .root.Values.topics.partitions) -}}
{{- end -}}
{{- if gt (int $scaling.fallbackReplicas) (int $scaling.maxReplicas) -}}
{{- fail (printf "%s.fallbackReplicas is %v, more than maxReplicas, %v" $at $scaling.fallbackReplicas $scaling.maxReplicas) -}}
{{- end -}}
{{- else if not (dig "requests" "cpu" "" (default dict .service.resources)) -}}
{{- fail (printf "%s.enabled is true without services.%s.resources.requests.cpu, of which targetCpuPercent is a share" $at .name) -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/* Times of stopping: the calls that are under way must end before the service is ended. Takes root, name, service. */}}
{{- define "freshet.checks.stop" -}}
{{- if hasKey (include "freshet.ports" . | fromYaml) "grpc" -}}
{{- $grace := default 10000 (get (default dict .service.config) "GRPC_MAX_CONNECTION_GRACE_MS") | int -}}
{{- $stop := mul 1000 (include "freshet.stopSeconds" . | int) -}}
{{- if ge $grace (int $stop) -}}
{{- fail (printf "services.%s.config.GRPC_MAX_CONNECTION_GRACE_MS is %d: calls may take as long as the whole stop (%d ms: common.stopSeconds or STOP_TIMEOUT_MS), and nothing remains for flushing; make the stop longer" .name $grace (int $stop)) -}}
{{- end -}}
{{- end -}}
{{- end }}
