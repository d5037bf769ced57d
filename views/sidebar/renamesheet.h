// Asks for a task's new title.
#pragma once

#include "views/common/sheet.h"

class QLineEdit;

namespace foundry::views {

class RenameSheet : public Sheet {
    Q_OBJECT
public:
    RenameSheet(ThemeProvider *theme, const QString &title, QWidget *parent);

Q_SIGNALS:
    void renamed(const QString &title); // never empty

private:
    void finish();

    QLineEdit *m_edit;
    Button *m_rename;
    QString m_was;
};

} // namespace foundry::views
