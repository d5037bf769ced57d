#include "views/sidebar/renamesheet.h"

#include <QBoxLayout>
#include <QLineEdit>

namespace foundry::views {

RenameSheet::RenameSheet(ThemeProvider *theme, const QString &title, QWidget *parent)
    : Sheet(theme, tr("Rename task"), 440, parent)
    , m_edit(new QLineEdit(title))
    , m_rename(new Button(theme, tr("Rename"), ButtonLook::Primary))
    , m_was(title)
{
    m_edit->setMaxLength(200);
    m_edit->selectAll();
    addField(tr("Title"), m_edit);
    auto *cancel = new Button(theme, tr("Cancel"));
    addButton(cancel);
    addButton(m_rename);
    m_rename->setDefault(true);
    connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
    connect(m_rename, &QPushButton::clicked, this, &RenameSheet::finish);
    connect(m_edit, &QLineEdit::textChanged, this,
        [this](const QString &text) { m_rename->setEnabled(!text.trimmed().isEmpty()); });
    m_edit->setFocus();
}

void RenameSheet::finish()
{
    const QString title = m_edit->text().trimmed();
    if (title.isEmpty())
        return;
    if (title != m_was)
        Q_EMIT renamed(title);
    accept();
}

} // namespace foundry::views
