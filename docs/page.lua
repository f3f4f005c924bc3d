-- SPDX-License-Identifier: GPL-3.0-or-later
-- From the documents, as they stand in the repository, to pages beside each other in a folder of it.

local source = PANDOC_STATE.input_files[1]

-- A path relative to the source of this page, relative to the repository.
local function in_repository(path)
    local parts = {}
    for part in ((source:match("^.*/") or "") .. path):gmatch("[^/]+") do
        if part == ".." then
            table.remove(parts)
        elseif part ~= "." then
            table.insert(parts, part)
        end
    end
    return table.concat(parts, "/")
end

-- A document is the page of its name, pictures stand beside the pages, and all else is in the
-- repository.
local function seen(target)
    local path, anchor = target:match("^([^#]*)(.*)$")
    if path == "" or target:match("^%a+:") then
        return target
    end
    path = in_repository(path)
    local notebook = path:match("^docs/notebooks/([^/]+)%.ipynb$")
    if notebook then
        return "notebook-" .. notebook .. ".html"
    end
    local name = path:match("([^/]+)%.md$") or path:match("^docs/([^/]+)$")
    if path:match("%.md$") then
        return (name == "README" and "index" or name) .. ".html" .. anchor
    end
    return name or "../" .. path
end

local function Link(link)
    link.target = seen(link.target)
    return link
end

-- Of a notebook's own picture: it becomes a file beside the page.
local function unpack(name, data)
    local file = assert(io.open((PANDOC_STATE.output_file:match("^.*/") or "") .. name, "wb"))
    file:write(data)
    file:close()
end

local function Image(image)
    local _, data = pandoc.mediabag.lookup(image.src)
    if data then
        unpack(image.src, data)
    else
        image.src = seen(image.src)
    end
    return image
end

-- A citation, as code and result files have it, leads to its place.
local function Code(code)
    local page, anchor = code.text:match("^([%l-]+)%.md(#[%w-]+)$")
    if page then
        return pandoc.Link(code, page .. ".html" .. anchor)
    end
end

-- The first heading is the title.
local function Pandoc(document)
    document.blocks:walk({
        Header = function(header)
            document.meta.pagetitle = document.meta.pagetitle or pandoc.utils.stringify(header)
        end,
    })
    return document
end

return {{Link = Link, Image = Image}, {Code = Code, Pandoc = Pandoc}}
