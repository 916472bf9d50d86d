/** Catches a bug in a component, so that the reader gets a sentence instead of an empty page. */
import { Component, type ReactNode } from "react";
import { SpeechContext } from "./context.tsx";
import { Notice } from "./notice.tsx";

export class SafetyNet extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  static override contextType = SpeechContext;
  declare context: React.ContextType<typeof SpeechContext>;
  override state = { hasFailed: false };

  static getDerivedStateFromError(): { hasFailed: boolean } {
    return { hasFailed: true };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return <Notice tone="bad">{this.context?.text("fault.page_failed")}</Notice>;
  }
}
