// Asks for a repository: a folder on this machine, or a clone URL. What cannot be right is said before it is sent; what
// only git can know comes back as the repository's state. GUI thread.
#pragma once

#include "views/common/intents.h"
#include "views/common/sheet.h"

#include <functional>
#include <variant>

class QLineEdit;

namespace foundry::views {

// What was typed, as a request, or a sentence that says what is wrong with it.
std::variant<AddRepositoryRequest, QString> parseRepositoryAddress(const QString &text);

// A folder dialog that is opened, never waited for; calls back with the chosen folder only.
void chooseFolder(QWidget *parent, const QString &start, const std::function<void(const QString &)> &chosen);

class AddRepositorySheet : public Sheet {
    Q_OBJECT
public:
    // `blocked`: why it cannot be done now; empty: it can.
    AddRepositorySheet(ThemeProvider *theme, const QString &blocked, QWidget *parent);

Q_SIGNALS:
    void requested(const foundry::views::AddRepositoryRequest &request);

private:
    void submit();

    QString m_blocked;
    QLineEdit *m_address;
    Button *m_add;
};

} // namespace foundry::views
