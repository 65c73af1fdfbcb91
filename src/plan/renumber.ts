/**
 * The instruction that gives a user of the image another uid, and a group of that number. In the JSON form: a `SHELL` of the user's
 * Dockerfile does not matter then, nor what a shell would make of the user's name.
 */
export function renumberInstruction({ user, uid }: { readonly user: string; readonly uid: number }): string {
  return `RUN ${JSON.stringify(["/bin/sh", "-c", SCRIPT, "remote-user-uid", user, String(uid)])}`;
}

/**
 * What the reference CLI's `updateRemoteUserUID` does, with the shell alone, for an image may have neither sed nor awk: the user and the
 * user's group get the number, and everything in the home becomes the user's. A group of that number is left alone, and the user's keeps its
 * own. Unlike there, what the user owns elsewhere moves along, root's group stays root's, and what cannot be done fails.
 *
 * The lines of passwd and group that change are written anew, the others stay to the letter, and so do owner and mode of the files.
 * @see https://github.com/devcontainers/cli/blob/v0.88.0/scripts/updateUID.Dockerfile
 */
const SCRIPT = `# remote-user-uid: gives the remote user another uid
set -eu
user=$1 uid=$2 gid=$2
stop() {
  echo "remote-user-uid cannot give $user the uid $uid: $1" >&2
  exit 1
}
read_line() {
  name=\${1%%:*} rest=\${1#*:}
  secret=\${rest%%:*} rest=\${rest#*:}
  first=\${rest%%:*} rest=\${rest#*:}
}
old= other= old_gid= home= taken=
while IFS= read -r line || [ -n "$line" ]; do
  read_line "$line"
  if [ "$name" = "$user" ]; then
    old=$first old_gid=\${rest%%:*} home=\${rest#*:*:}
    home=\${home%%:*}
  elif [ "$first" = "$uid" ]; then
    other=$name
  fi
done < /etc/passwd
[ -n "$old" ] || stop "there is no such user in /etc/passwd"
[ "$old" != 0 ] || exit 0
[ "$old" != "$uid" ] || [ "$old_gid" != "$gid" ] || exit 0
[ "$old" = "$uid" ] || [ -z "$other" ] || stop "it is the uid of $other in this image"
touch /etc/group
while IFS= read -r line || [ -n "$line" ]; do
  read_line "$line"
  [ "$first" != "$gid" ] || taken=$name
done < /etc/group
if [ -n "$taken" ] || [ "$old_gid" = 0 ]; then gid=$old_gid; fi
users=$(while IFS= read -r line || [ -n "$line" ]; do
  read_line "$line"
  if [ "$name" = "$user" ]; then line=$name:$secret:$uid:$gid:\${rest#*:}; fi
  printf '%s\\n' "$line"
done < /etc/passwd)
groups=$(while IFS= read -r line || [ -n "$line" ]; do
  read_line "$line"
  if [ "$first" = "$old_gid" ]; then line=$name:$secret:$gid:$rest; fi
  printf '%s\\n' "$line"
done < /etc/group)
printf '%s\\n' "$users" > /etc/passwd
[ "$gid" = "$old_gid" ] || printf '%s\\n' "$groups" > /etc/group
if command -v find > /dev/null; then
  find / -xdev -user "$old" -exec chown -h "$uid" {} +
  [ "$gid" = "$old_gid" ] || find / -xdev -group "$old_gid" -exec chgrp -h "$gid" {} +
fi
case $home in
  "" | /) ;;
  *) if [ -d "$home" ]; then chown -hR "$uid:$gid" "$home/."; fi ;;
esac
`;
