// The window and the host: state and values in, the user's intents out. Only connects. GUI thread.
#pragma once

namespace foundry::views {
class MainWindow;
class TaskPage;
}

namespace foundry::app {

class HostLink;
class TaskPageBinding;
class Workspace;

// All outlive the window. Failures are said in the window.
void wireValues(views::MainWindow &window, HostLink &link, Workspace &workspace);
void wireIntents(views::MainWindow &window, HostLink &link, Workspace &workspace);
// After the task page is made.
void wireTaskPage(views::MainWindow &window, views::TaskPage &page, TaskPageBinding &binding, Workspace &workspace);

} // namespace foundry::app
