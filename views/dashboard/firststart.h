// The first start: three steps that lead to a running task, each doing something real on the spot. Shown instead of the
// board until there is a task. GUI thread.
#pragma once

#include "views/common/controls.h"
#include "views/common/intents.h"

#include <QScrollArea>

class QLineEdit;
class QVBoxLayout;

namespace foundry {
class AgentListModel;
class RepositoryListModel;
}

namespace foundry::views {

class AgentList;
class ChipStrip;
class PromptBox;

class FirstStart : public QScrollArea {
    Q_OBJECT
public:
    FirstStart(ThemeProvider *theme, RepositoryListModel *repositories, AgentListModel *agents, QWidget *parent = nullptr);

    // Puts the cursor where the next step is.
    void focusNextStep();
    // Why no repository can be added now; empty: it can.
    void setBlocked(const QString &why);

Q_SIGNALS:
    void addRepositoryRequested(const foundry::views::AddRepositoryRequest &request);
    void newTaskRequested(const foundry::views::NewTaskRequest &request);
    void agentWayOnRequested(const foundry::AgentId &agent, const QPoint &globalPosition);
    void repositoryActivated(int row, const QPoint &globalPosition);

private:
    struct Step {
        IconLabel *mark;
        Label *heading;
        QWidget *card;
    };

    Step addStep(QVBoxLayout *into, const QString &heading, const QString &sentence, QVBoxLayout **body);
    void addTyped();
    void start();
    void updateSteps();
    RepoId chosenRepository() const;

    ThemeProvider *m_theme;
    RepositoryListModel *m_repositories;
    AgentListModel *m_agents;
    Step m_steps[3];
    QLineEdit *m_address;
    Label *m_addressNote;
    QList<Button *> m_adding;
    QString m_blocked;
    ChipStrip *m_added;
    AgentList *m_agentList;
    PromptBox *m_prompt;
    Label *m_promptNote;
    Button *m_start;
    QString m_complaint; // about the prompt or a paste
};

} // namespace foundry::views
