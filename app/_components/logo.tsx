/** Three messages on one line that nothing interrupts. */
export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      <rect width="32" height="32" rx="9" fill="var(--accent)" />
      <path d="M4 16h24" stroke="var(--on-accent)" strokeWidth="2.4" strokeLinecap="round" />
      {[8, 16, 24].map((x) => (
        <circle key={x} cx={x} cy="16" r="3.4" fill="var(--on-accent)" />
      ))}
    </svg>
  )
}
