#!/bin/sh
# Lays the system of the images into /system: node, the libraries of Debian that it and the packages load, and nothing that could
# run beside it: no shell, no package manager.
set -eu
root=/system

# node's own, and what binaries of packages link to besides.
library_folder=$(dirname "$(ldd /usr/local/bin/node | awk '$1 == "libc.so.6" { print $3 }')")
libraries=$(ldd /usr/local/bin/node | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
for library in $libraries "$library_folder/librt.so.1" "$library_folder/libresolv.so.2"; do
  target=$root$(realpath "$(dirname "$library")")
  mkdir -p "$target"
  cp -L "$library" "$target/"
done
for link in /lib /lib64; do
  if [ -L "$link" ]; then cp -P "$link" "$root$link"; fi
done
# The loader stands where node's header names it.
loader=$(ldd /usr/local/bin/node | awk '$1 ~ /^\// { print $1 }')
[ -e "$root$loader" ] || { mkdir -p "$root$(dirname "$loader")" && cp -L "$loader" "$root$loader"; }

mkdir -p "$root/usr/local/bin" "$root/etc" "$root/tmp" "$root/home/node" "$root/var/lib/freshet" "$root/var/lib/dpkg/status.d"
cp /usr/local/bin/node "$root/usr/local/bin/node"
# Any user may be chosen, so any may write the data; a volume takes this mode over.
chmod 1777 "$root/tmp" "$root/var/lib/freshet"
printf 'root:x:0:0:root:/root:/usr/sbin/nologin\nnode:x:1000:1000::/home/node:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnode:x:1000:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
cp -L /etc/os-release "$root/etc/os-release"

# Scanners look for Debian's packages here in images without a package manager; the licences go with the libraries.
for package in libc6 libgcc-s1 libstdc++6; do
  dpkg-query -s "$package" >"$root/var/lib/dpkg/status.d/$package"
  for file in "/usr/share/doc/$package/copyright"; do
    [ ! -e "$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -L "$file" "$root$file"; }
  done
done
for file in /usr/local/LICENSE; do [ ! -e "$file" ] || cp "$file" "$root/usr/local/LICENSE"; done

find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
