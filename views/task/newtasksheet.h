// Asks for a new task: prompt, repository, base branch, agent and mode; remembers the choices, and the prompt when the
// sheet is closed without starting. Ctrl+Enter starts. GUI thread.
#pragma once

#include "models/types/ids.h"
#include "views/common/intents.h"
#include "views/common/sheet.h"

class QComboBox;
class QLineEdit;

namespace foundry {
class AgentListModel;
class RepositoryListModel;
struct Agent;
struct Repository;
}

namespace foundry::views {

class PromptBox;
class UiState;

class NewTaskSheet : public Sheet {
    Q_OBJECT
public:
    // `preselect`: the repository to offer first; empty: the last one used.
    NewTaskSheet(ThemeProvider *theme, UiState *state, RepositoryListModel *repositories, AgentListModel *agents,
        const RepoId &preselect, QWidget *parent);

    void setPrompt(const QString &prompt);

Q_SIGNALS:
    void requested(const foundry::views::NewTaskRequest &request);
    void addRepositoryWanted();
    void confirmAgentWanted(const foundry::AgentId &agent);

protected:
    void done(int result) override;

private:
    void fillRepositories(const RepoId &wanted);
    void fillAgents();
    void fillModes();
    void repositoryChosen();
    void updateState();
    void submit();
    const Repository *repository() const;
    const Agent *agent() const;

    UiState *m_state;
    RepositoryListModel *m_repositories;
    AgentListModel *m_agents;
    PromptBox *m_prompt;
    QComboBox *m_repository;
    QLineEdit *m_base;
    QComboBox *m_agent;
    QComboBox *m_mode;
    QWidget *m_notesRow;
    Label *m_notes;
    Button *m_start;
    QString m_complaint; // about the prompt or a paste
};

} // namespace foundry::views
