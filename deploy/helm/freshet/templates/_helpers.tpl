{{/* Name of a resource, as a Service may have it: begins with a letter, has no dots, at most 52 letters so that names made from it are short enough. A longer release name is cut, with a checksum. Takes root and name. */}}
{{- define "freshet.fullname" -}}
{{- $release := .root.Release.Name | replace "." "-" -}}
{{- if regexMatch "^[0-9]" $release -}}
{{- $release = printf "r%s" $release -}}
{{- end -}}
{{- $room := int (sub 51 (len .name)) -}}
{{- if gt (len $release) $room -}}
{{- $release = printf "%s-%s" ($release | trunc (int (sub $room 9)) | trimSuffix "-") ($release | sha256sum | trunc 8) -}}
{{- end -}}
{{ printf "%s-%s" $release .name }}
{{- end }}

{{/* Name of a workload: that of its service, with its shard if it has one. Takes root, name, shard. */}}
{{- define "freshet.workload" -}}
{{- include "freshet.fullname" (dict "root" .root "name" (ternary (printf "%s-shard-%v" .name .shard) .name (hasKey . "shard"))) -}}
{{- end }}

{{/* Labels that select the pods of one service, or of one of its shards. Takes root, name, shard. */}}
{{- define "freshet.selector" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- if hasKey . "shard" }}
freshet.dev/shard: {{ toString .shard | quote }}
{{- end }}
{{- end }}

{{/* "true" for services whose pods keep their names: StatefulSets. Takes name. */}}
{{- define "freshet.isStateful" -}}
{{- if has .name (list "candidate-service" "trainer" "feature-updater") -}}true{{- end -}}
{{- end }}

{{/* Workloads of all enabled services, as a YAML list of maps with name and, where a service has several, shard. Takes the root. */}}
{{- define "freshet.workloads" -}}
{{- $list := list -}}
{{- range $name, $service := (include "freshet.enabled" . | fromYaml) -}}
{{- $shards := int (default 1 $service.shards) -}}
{{- range $shard := until $shards -}}
{{- $list = append $list (ternary (dict "name" $name) (dict "name" $name "shard" $shard) (eq $shards 1)) -}}
{{- end -}}
{{- end -}}
{{- toYaml $list -}}
{{- end }}

{{/* "true" if an autoscaler sets the number of pods. Takes service. */}}
{{- define "freshet.isScaled" -}}
{{- if dig "autoscaling" "enabled" false .service -}}true{{- end -}}
{{- end }}

{{/* The least number of pods of a workload. Takes service. */}}
{{- define "freshet.leastPods" -}}
{{- ternary (dig "autoscaling" "minReplicas" 1 .service) .service.replicas (eq (include "freshet.isScaled" .) "true") | int -}}
{{- end }}

{{/* All labels of a resource. Takes root and name; `more`: maps of further labels, which must not replace these. */}}
{{- define "freshet.labels" -}}
{{- $own := include "freshet.selector" . | fromYaml -}}
{{- $_ := set $own "app.kubernetes.io/part-of" "freshet" -}}
{{- $_ := set $own "app.kubernetes.io/version" .root.Chart.AppVersion -}}
{{- $_ := set $own "app.kubernetes.io/managed-by" .root.Release.Service -}}
{{- $_ := set $own "helm.sh/chart" (printf "%s-%s" .root.Chart.Name .root.Chart.Version) -}}
{{- range .more -}}
{{- $own = merge $own (default dict .) -}}
{{- end -}}
{{- toYaml (merge $own (default dict .root.Values.common.labels)) -}}
{{- end }}

{{/* An image. Takes root, name and image (repository, tag, digest). */}}
{{- define "freshet.image" -}}
{{- $image := default dict .image -}}
{{- if not (or $image.repository .root.Values.image.registry) -}}
{{- fail "image.registry is empty; build the images and push them to a registry of yours (deploy/README.md), then set its name and path, for example image.registry=registry.example.org/freshet" -}}
{{- end -}}
{{- $repository := default (printf "%s/%s" .root.Values.image.registry .name) $image.repository -}}
{{- if $image.digest -}}
{{ printf "%s@%s" $repository $image.digest }}
{{- else -}}
{{ printf "%s:%s" $repository (default (default .root.Chart.AppVersion .root.Values.image.tag) $image.tag) }}
{{- end -}}
{{- end }}

{{/* A value as text: numbers without exponents, lists with commas, maps as JSON. */}}
{{- define "freshet.text" -}}
{{- if and (kindIs "float64" .) (eq (float64 .) (floor .)) -}}
{{ int64 . }}
{{- else if kindIs "slice" . -}}
{{ join "," . }}
{{- else if kindIs "map" . -}}
{{ toJson . }}
{{- else -}}
{{ . }}
{{- end -}}
{{- end }}

{{/* Services by name without those that are null or disabled, as YAML. */}}
{{- define "freshet.enabled" -}}
{{- $enabled := dict -}}
{{- range $name, $service := .Values.services -}}
{{- if $service -}}
{{- if $service.enabled -}}
{{- $_ := set $enabled $name $service -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toYaml $enabled -}}
{{- end }}

{{/* Ports of a service by protocol, as YAML. Takes service. */}}
{{- define "freshet.ports" -}}
{{- $ports := dict -}}
{{- range $protocol, $port := (default dict .service.ports) -}}
{{- if $port -}}
{{- $_ := set $ports $protocol $port -}}
{{- end -}}
{{- end -}}
{{- toYaml $ports -}}
{{- end }}

{{/* Maximum number of seconds that a container needs to stop. Takes root and service. */}}
{{- define "freshet.stopSeconds" -}}
{{- $config := default dict .service.config -}}
{{- if hasKey $config "STOP_TIMEOUT_MS" -}}
{{ divf (float64 (index $config "STOP_TIMEOUT_MS")) 1000 | ceil | int }}
{{- else -}}
{{ int .root.Values.common.stopSeconds }}
{{- end -}}
{{- end }}
