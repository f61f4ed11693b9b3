/** What systemctl and journalctl need to find the manager of the system or of a user. */
export const managerEnvironment = (uid: number): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  XDG_RUNTIME_DIR: `/run/user/${uid}`,
});
