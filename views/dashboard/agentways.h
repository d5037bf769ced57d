// The ways on from each state of an agent: a menu of what can be done now, and the sheet that asks before an agent that
// was found is used for the first time.
#pragma once

#include "models/types/organization.h"
#include "views/common/sheet.h"

#include <functional>

class QMenu;

namespace foundry::views {

struct AgentWays {
    std::function<void(const AgentId &)> confirm;
    std::function<void(const AgentId &)> install;
    std::function<void(const AgentId &)> use; // may be empty
    std::function<void()> refresh;
};

// Deletes itself when it is closed.
QMenu *makeAgentMenu(const Agent &agent, const AgentWays &ways, QWidget *parent);
// One or two sentences: what was found, what is missing.
QString agentSentence(const Agent &agent);
// For a list, whose rows say "not installed" already: what can be done about it.
QString agentNote(const Agent &agent);

class ConfirmAgentSheet : public Sheet {
    Q_OBJECT
public:
    ConfirmAgentSheet(ThemeProvider *theme, const Agent &agent, QWidget *parent);

Q_SIGNALS:
    void confirmed(const foundry::AgentId &agent);
};

} // namespace foundry::views
