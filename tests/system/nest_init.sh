#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# nest_init.sh FOLDER TREE: what runs as the first process of the namespaces that nest.py makes.
# Puts a throw-away copy of the root file system in place, with the files under TREE on top, and
# becomes systemd. Nothing of it reaches the host: all is mounted here alone, what would write to
# the kernel is read-only, and the rights to its clock and modules are given up.
set -eu
folder=$1 tree=$2

mount -t tmpfs -o mode=755 tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
tar -C "$tree" -c . | tar -C "$folder/root" -x --keep-directory-symlink --no-same-owner
cd "$folder/root"

mount -t proc proc proc
# Else systemd-sysctl would set the host's values; those of the network are of the namespace.
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,ro proc/sys
if [ -e proc/sysrq-trigger ]; then
	mount --bind proc/sysrq-trigger proc/sysrq-trigger
	mount -o remount,bind,ro proc/sysrq-trigger
fi
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 sys/fs/cgroup

mount -t tmpfs -o mode=755,nosuid tmpfs dev
mkdir dev/pts dev/shm
while read -r name major minor; do
	mknod -m 666 "dev/$name" c "$major" "$minor"
done <<-EOT
	null 1 3
	zero 1 5
	full 1 7
	random 1 8
	urandom 1 9
	tty 5 0
EOT
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs -o nosuid,nodev tmpfs dev/shm
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp

# The machine's own services stay out, and its journal.
rm -rf etc/systemd/system/*.wants etc/rc?.d/S* var/log/journal
: > etc/machine-id
mkdir -p etc/systemd/journald.conf.d
printf '[Journal]\nStorage=volatile\nAudit=no\nRateLimitIntervalSec=0\n' \
	> etc/systemd/journald.conf.d/nest.conf
# The search for leaks, in builds that have it, cannot trace under the units' filters.
mkdir -p etc/systemd/system.conf.d
printf '[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n' \
	> etc/systemd/system.conf.d/nest.conf
ip link set lo up

mkdir .old
pivot_root . .old
cd /
umount -l .old
rmdir .old
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin container=nest LANG=C.UTF-8 \
	setpriv --bounding-set=-sys_time,-sys_module,-sys_boot,-sys_rawio,-syslog,-audit_control \
	/lib/systemd/systemd --unit=multi-user.target --log-target=journal-or-kmsg --show-status=no
